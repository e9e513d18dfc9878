import { afterAll, expect, it } from 'vitest';
import { testHandler } from 'workswap/testing';

const site = await testHandler('assembly/index.ts');
afterAll(() => site.close());

it('shows what was signed, the newest first', async () => {
  expect((await site.post('/sign', { name: 'Ada', message: 'First!' })).headers['location']).toBe('/');
  await site.post('/sign', { name: 'Bob', message: 'Second.' });
  const page = (await site.get('/')).text();
  expect(page.indexOf('Second.')).toBeGreaterThan(0);
  expect(page.indexOf('Second.')).toBeLessThan(page.indexOf('First!'));
  expect(site.state.text('entries/0000000/0000000001')).toBe('Bob\nSecond.');
});

it('shows messages as text, never as HTML', async () => {
  await site.post('/sign', { name: '<b>', message: '<script>alert(1)</script>' });
  const page = (await site.get('/')).text();
  expect(page).toContain('&lt;script&gt;');
  expect(page).not.toContain('<script>');
});

it('keeps nothing of what it refuses', async () => {
  const before = site.state.files();
  expect((await site.post('/sign', { name: '', message: 'x' })).status).toBe(422);
  expect(site.state.files()).toEqual(before);
});
