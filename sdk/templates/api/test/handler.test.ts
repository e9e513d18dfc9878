import { afterAll, expect, it } from 'vitest';
import { testHandler } from 'workswap/testing';

const site = await testHandler('assembly/index.ts', { state: { 'notes/first': 'hello' } });
afterAll(() => site.close());

it('keeps notes', async () => {
  expect((await site.request('PUT', '/notes/a%2Fb', { json: { text: 'slash' } })).status).toBe(201);
  expect((await site.request('PUT', '/notes/a%2Fb', { json: { text: 'again' } })).status).toBe(204);
  expect((await site.get('/notes/a%2Fb')).json()).toEqual({ name: 'a/b', text: 'again' });
  expect((await site.get('/notes')).json()).toEqual({ notes: ['a/b', 'first'] });
  expect(site.state.files()).toEqual(['notes/a%2Fb', 'notes/first']);
  expect((await site.request('DELETE', '/notes/a%2Fb')).status).toBe(204);
  expect((await site.get('/notes?after=a')).json()).toEqual({ notes: ['first'] });
});

it('refuses what is no note, and keeps nothing of it', async () => {
  const before = site.state.files();
  expect((await site.request('PUT', '/notes/x', { body: 'no JSON' })).status).toBe(400);
  expect((await site.request('PUT', '/notes/x', { json: { text: '' } })).status).toBe(422);
  expect((await site.request('DELETE', '/notes/x')).status).toBe(404);
  expect((await site.post('/notes')).status).toBe(405);
  expect(site.state.files()).toEqual(before);
});
