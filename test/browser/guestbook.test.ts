import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { inspect } from './inspect.ts';
import { picture, service, test } from './scene.ts';

const XSS = '"><script>alert(1)</script><img src=x onerror=alert(2)>';

async function sign(page: Page, name: string, message: string): Promise<void> {
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Your message').fill(message);
  await page.getByRole('button', { name: 'Sign the book' }).click();
}

test('a visitor signs without JavaScript, sees what others wrote, and removes what is theirs alone', async ({
  visit,
}) => {
  const ada = await visit(service('guestbook'), { javaScriptEnabled: false });
  await sign(ada, 'Ada', 'Signed in a real browser, without JavaScript.');
  expect(await ada.getByRole('article').first().textContent()).toContain('Signed in a real browser');
  const grace = await visit(service('guestbook'));
  await sign(grace, 'Grace', 'The page was computed on the provider; this entry is a commit in its state.');
  const authors = (page: Page): Promise<string[]> => page.getByRole('heading', { level: 3 }).allTextContents();
  expect((await authors(grace)).slice(0, 2)).toEqual(['Grace', 'Ada']);
  expect(await grace.getByText('yours', { exact: true }).count()).toBe(1);
  await grace.setViewportSize({ width: 1000, height: 980 });
  await picture(grace, 'handlers/guestbook/screenshot.png');
  await ada.reload();
  await ada.getByRole('button', { name: 'Remove your entry' }).click();
  expect(await authors(ada)).not.toContain('Ada');
});

test('what is missing is said where it is missing, and nothing that was typed is lost', async ({ visit }) => {
  const page = await visit(service('guestbook'));
  await page.getByLabel('Your name').fill('   ');
  await page.getByLabel('Your message').fill('kept');
  await page.getByRole('button', { name: 'Sign the book' }).click();
  expect(await page.getByRole('alert').textContent()).toContain('not saved');
  expect(await page.getByLabel('Your message').inputValue()).toBe('kept');
  await inspect(page);
});

test('markup in a name and a message stays text', async ({ visit }) => {
  const page = await visit(service('guestbook'));
  await sign(page, XSS, XSS);
  expect(await page.getByRole('article').first().locator('.message').textContent()).toBe(XSS);
  expect(await page.locator('img, script').count()).toBe(0);
});

test('the page is for everybody: read aloud, by keyboard, on a phone, in the dark', async ({ visit }) => {
  const page = await visit(service('guestbook'));
  await sign(page, 'Somebody with quite a long name', 'word '.repeat(40) + 'w'.repeat(200));
  await inspect(page);
});
