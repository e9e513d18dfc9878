import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testHandler } from 'workswap/testing';
import type { TestSite } from 'workswap/testing';

let site: TestSite;

beforeAll(async () => {
  site = await testHandler(fileURLToPath(new URL('sdk/assembly/state.ts', import.meta.url)));
});
afterAll(() => site.close());
beforeEach(() => {
  for (const file of site.state.files()) site.state.remove(file);
});

async function post(path: string, body = ''): Promise<unknown> {
  const answer = await site.post(path, body);
  expect(answer.error).toBeUndefined();
  return answer.json();
}

async function get(path: string): Promise<unknown> {
  const answer = await site.get(path);
  expect(answer.error).toBeUndefined();
  return answer.json();
}

/** The file's name for a key, as docs/sdk.md says it. */
function fileName(key: string): string {
  if (key === '') return '%';
  if (key === '.' || key === '..') return key.replaceAll('.', '%2E');
  return [...key]
    .map((c) =>
      c <= ' ' || '"%*/:<>?\\|\u007f'.includes(c)
        ? `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
        : c,
    )
    .join('');
}

const byName = (a: string, b: string): number => Buffer.compare(Buffer.from(fileName(a)), Buffer.from(fileName(b)));

describe('StateMap', () => {
  it('is a Map with any text as key, in files that are named after the keys', async () => {
    const key = fc.oneof(
      fc.constantFrom('', '.', '..', '...', '%', '%2E', 'a/b', '../a', 'a b', '\u0000', '🙂', 'é', 'length'),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    const step = fc.record({
      action: fc.constantFrom('set', 'set', 'get', 'delete'),
      key,
      value: fc.string({ maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        site.state.remove('dir');
        const model = new Map<string, string>();
        for (const { action, key: at, value } of steps) {
          if (action === 'set') {
            expect(await post('/map/set', JSON.stringify([at, value]))).toBe(value);
            model.set(at, value);
          } else if (action === 'get') expect(await post('/map/get', at)).toBe(model.get(at) ?? null);
          else expect(await post('/map/delete', at)).toBe(model.delete(at));
        }
        const sorted = [...model.keys()].sort(byName);
        expect(await post('/map/keys', '["",100]')).toEqual(sorted);
        expect(site.state.files().sort()).toEqual(sorted.map((name) => `dir/map/${fileName(name)}`).sort());
        // By pages of two, each behind the last key of the one before.
        const paged: string[] = [];
        for (let after = ''; ; after = paged.at(-1)!) {
          const page = (await post('/map/keys', JSON.stringify([after, 2]))) as string[];
          paged.push(...page);
          if (page.length < 2 || paged.at(-1) === '') break;
        }
        if (!model.has('')) expect(paged).toEqual(sorted);
      }),
      { numRuns: 30 },
    );
  });

  it('says what is wrong with a key that is too long', async () => {
    await post('/map/set', JSON.stringify(['x'.repeat(255), 'fits']));
    const { error } = await site.post('/map/set', JSON.stringify(['x'.repeat(256), 'y']));
    expect(error?.message).toMatch(/^a key of a StateMap has at most 255 bytes; this one begins x{40} /);
  });
});

describe('List', () => {
  it('keeps texts in order, with gaps where some were removed', async () => {
    const model: (string | null)[] = [];
    for (let i = 0; i < 12; i++) {
      expect(await post('/list/push', `text ${i}`)).toBe(i);
      model.push(`text ${i}`);
    }
    expect(await post('/list/remove/3')).toBe(true);
    expect(await post('/list/remove/3')).toBe(false);
    expect(await post('/list/remove/99')).toBe(false);
    model[3] = null;
    await post('/list/set/5', 'changed');
    model[5] = 'changed';
    expect(await get('/list/3')).toBe(null);
    expect(await get('/list/5')).toBe('changed');
    expect(await get('/list/-1')).toBe(null);
    expect(await get('/list/2/7')).toEqual(model.slice(2, 7).filter((text) => text !== null));
    expect(await get('/list/-5/100')).toEqual(model.filter((text) => text !== null));
    expect(await get('/newest/3')).toEqual(['text 11', 'text 10', 'text 9']);
    expect(await get('/newest/100')).toEqual(model.filter((text) => text !== null).reverse());
    expect((await site.post('/list/set/12', 'x')).error?.message).toMatch(/^a List has no entry 12 /);
  });

  it('goes on in the next directory after a thousand entries', async () => {
    site.state.set('list/length', '999');
    expect(await post('/list/push', 'last')).toBe(999);
    expect(await post('/list/push', 'first')).toBe(1000);
    expect(site.state.files()).toEqual(['list/0000000/0000000999', 'list/0000001/0000001000', 'list/length']);
    expect(await get('/newest/5')).toEqual(['first', 'last']);
  });
});

it('a Counter counts up and down, from nothing', async () => {
  expect(await get('/count')).toBe(0);
  expect(await post('/count/1')).toBe(1);
  expect(await post('/count/-3')).toBe(-2);
  expect(await post('/count/9007199254740991')).toBe(9007199254740989);
  expect(site.state.text('counters/one')).toBe('9007199254740989');
});

describe('files', () => {
  it('keep their bytes, small and large', async () => {
    for (const length of [0, 1, 65_536, 1_000_000]) {
      const bytes = new Uint8Array(length).map((_, i) => i * 31);
      expect((await site.request('PUT', `/file/a/${length}`, { body: bytes })).status).toBe(200);
      expect(Buffer.compare((await site.get(`/file/a/${length}`)).bytes, bytes)).toBe(0);
      expect(await get(`/size/a/${length}`)).toBe(length);
    }
    expect((await site.get('/size/a')).text()).toBe('-2');
    expect((await site.get('/size/b')).text()).toBe('-1 missing');
    expect((await site.get('/file/b')).status).toBe(404);
    expect(await (await site.request('DELETE', '/file/a')).json()).toBe(true);
    expect(await (await site.request('DELETE', '/file/a')).json()).toBe(false);
    expect(site.state.files()).toEqual([]);
  });

  it('are listed in the order of their names, however many there are and however long their names', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `${String(i).padStart(4, '0')}${'n'.repeat(i % 251)}`);
    for (const name of names) site.state.set(`many/${name}`, name);
    site.state.set('many/zz/below', 'x');
    const all = (await get('/names/many?limit=1000')) as [string, number, boolean][];
    expect(all.map(([name]) => name)).toEqual([...names, 'zz']);
    expect(all.map(([, size]) => size)).toEqual([...names.map((name) => name.length), 0]);
    expect(all.filter(([, , isDirectory]) => isDirectory)).toEqual([['zz', 0, true]]);
    const some = (await get(`/names/many?limit=7&after=${names[99]!}`)) as [string, number, boolean][];
    expect(some.map(([name]) => name)).toEqual(names.slice(100, 107));
    expect(await get('/names/nowhere')).toEqual([]);
    expect(await get('/names/?limit=0')).toEqual([]);
  });
});

describe('a state', () => {
  it('is not written by a query', async () => {
    const { error, status } = await site.get('/write');
    expect({ status, code: error?.code }).toEqual({ status: 0, code: 'READ_ONLY' });
    expect((await site.request('HEAD', '/write')).error?.code).toBe('READ_ONLY');
    expect(site.state.files()).toEqual([]);
  });

  it('stays as it was when an update throws', async () => {
    expect((await site.post('/write-and-throw')).error?.message).toMatch(/^changed my mind \(state\.ts:\d+:\d+\)$/);
    expect(site.state.files()).toEqual([]);
  });

  it('refuses paths that are none, with a reason', async () => {
    for (const path of ['', 'a//b', '../a', 'a/./b', 'a/', '/a', 'a%00b', 'x'.repeat(256)]) {
      expect((await site.request('PUT', `/file/${path}`)).error?.code, path).toBe('INVALID_PATH');
    }
    await site.request('PUT', '/file/a');
    expect((await site.request('PUT', '/file/a/b')).error?.code).toBe('STATE_CONFLICT');
  });
});
