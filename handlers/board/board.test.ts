import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testHandler, type TestSite } from '../../provider/testing/index.ts';

const SOURCE = fileURLToPath(new URL('assembly/index.ts', import.meta.url));

let site: TestSite;
beforeEach(async () => {
  site = await testHandler(SOURCE);
});

const json = (extra: Record<string, string> = {}) => ({ headers: { 'content-type': 'application/json', ...extra } });
const post = (path: string, body: unknown, extra?: Record<string, string>) =>
  site.post(path, JSON.stringify(body), json(extra));

afterEach(() => site.close());

describe('the board', () => {
  test('makes boards with columns, and cards in them', async () => {
    const made = await post('/api/boards', { title: 'Plan' });
    expect(made.status).toBe(201);
    const board = made.json() as { id: number; columns: { id: number; title: string }[] };
    expect(board.columns.map(({ title }) => title)).toEqual(['To do', 'Doing', 'Done']);
    const etag = made.headers['etag']!;
    const column = board.columns[0]!.id;
    const card = await post(`/api/boards/${board.id}/cards`, { title: 'First', column }, { 'if-match': etag });
    expect(card.status).toBe(201);
    const read = await site.get(`/api/boards/${board.id}`);
    expect(JSON.stringify(read.json())).toContain('First');
    const same = await site.get(`/api/boards/${board.id}`, { headers: { 'if-none-match': read.headers['etag']! } });
    expect(same.status).toBe(304);
  });

  test('tells who changed an older version, and changes nothing', async () => {
    const made = await post('/api/boards', { title: 'Plan' });
    const { id, columns } = made.json() as { id: number; columns: { id: number }[] };
    const etag = made.headers['etag']!;
    const card = { title: 'x', column: columns[0]!.id };
    expect((await post(`/api/boards/${id}/cards`, card)).status).toBe(428);
    expect((await post(`/api/boards/${id}/cards`, card, { 'if-match': etag })).status).toBe(201);
    const stale = await post(`/api/boards/${id}/cards`, card, { 'if-match': etag });
    expect([stale.status, stale.headers['content-type']]).toEqual([409, 'application/problem+json']);
  });

  test('answers bad requests with what is wrong', async () => {
    for (const [body, type] of [
      ['{', 'application/json'],
      ['[]', 'application/json'],
      ['{"title":""}', 'application/json'],
      [`{"title":"${'x'.repeat(5000)}"}`, 'application/json'],
      ['{"title":"x"}', 'text/plain'],
    ]) {
      const answer = await site.post('/api/boards', body!, { headers: { 'content-type': type! } });
      expect(answer.status, body!.slice(0, 20)).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
    expect((await site.get('/api/boards/77')).status).toBe(404);
    expect((await site.get('/api/boards/__proto__')).status).toBe(404);
    expect((await site.get('/api/boards')).json()).toEqual(expect.anything());
  });
});
