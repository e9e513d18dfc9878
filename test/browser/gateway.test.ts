import { expect, inject } from 'vitest';
import { inspect } from './inspect.ts';
import { service, test } from './scene.ts';

test("the gateway's own pages are for everybody: home and errors", async ({ visit }) => {
  const { gateway } = inject('scene');
  const page = await visit(gateway);
  await inspect(page);
  for (const url of [`${gateway}/ipfs/nothing`, service('nobody')]) {
    await page.goto(url);
    await inspect(page);
  }
});

test('a service reads nothing of another: neither its pages nor its cookies', async ({ visit }) => {
  const page = await visit(service('guestbook'), {}, /blocked by CORS policy|ERR_FAILED/);
  await page.getByLabel('Your name').fill('Kept apart');
  await page.getByLabel('Your message').fill('With a cookie of my own.');
  await page.getByRole('button', { name: 'Sign the book' }).click();
  const cookies = await page.context().cookies(service('guestbook'));
  expect(cookies).toMatchObject([{ httpOnly: true, domain: 'guestbook.localhost' }]);
  await page.goto(service('board'));
  const read = await page.evaluate(
    (url) => fetch(url, { credentials: 'include' }).then((answer) => answer.text(), String),
    service('guestbook'),
  );
  expect(read).toBe('TypeError: Failed to fetch');
  await page.evaluate(() => (document.cookie = 'planted=1; Domain=localhost; Path=/'));
  expect(await page.context().cookies(service('guestbook'))).toEqual(cookies);
});

test('at a path, where all services share an origin, a page runs no scripts and gets no cookies', async ({ visit }) => {
  const { gateway } = inject('scene');
  const page = await visit(`${gateway}/workswap/board/`, {}, /sandboxed|CORS policy|ERR_FAILED/);
  expect(await page.evaluate(() => self.origin)).toBe('null');
  // What its script would write there.
  expect(await page.getByRole('status').textContent()).toBe('');
  expect(await page.context().cookies()).toEqual([]);
});
