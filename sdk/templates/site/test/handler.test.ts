import { afterAll, expect, it } from 'vitest';
import { testHandler } from 'workswap/testing';

const site = await testHandler('assembly/index.ts');
afterAll(() => site.close());

it('remembers a name', async () => {
  const { status, headers, cookies } = await site.post('/name', { name: 'Ada' });
  expect({ status, location: headers['location'] }).toEqual({ status: 303, location: '/' });
  expect((await site.get('/', { cookies })).text()).toContain('Hello, Ada!');
});

it('shows what visitors write as text, never as HTML', async () => {
  const page = await site.get('/', { cookies: { name: '<script>alert(1)</script>' } });
  expect(page.text()).not.toContain('<script>');
  expect((await site.get('/about/%3Cb%3E')).text()).toContain('About &lt;b&gt;');
});

it('says politely that there is nothing', async () => {
  expect((await site.get('/nowhere')).status).toBe(404);
});
