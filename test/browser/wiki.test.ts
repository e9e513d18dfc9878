import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { inspect } from './inspect.ts';
import { picture, service, test } from './scene.ts';

const HOME = `Pages of this wiki are *files in the state* of a service on IPFS. Every change is a commit that
anyone can replay, and the Markdown is rendered in WASM.

## Where to go

| page | what |
|---|---|
| [[Receipts]] | what a provider signs |
| [[Fuel]] | what a handler burns |

> A page that is not written yet, such as [[Receipts]], shows in red.
`;

async function save(page: Page, text: string): Promise<void> {
  await page.getByLabel('Text').fill(text);
  await page.getByRole('button', { name: 'Save' }).click();
}

const edit = (name: string): string => service('wiki', `/${name}?action=edit`);

test('a page is written, previewed, found, followed in its history, renamed and deleted', async ({ visit }) => {
  const page = await visit(service('wiki'), { javaScriptEnabled: false });
  await page.getByRole('link', { name: 'Write it' }).click();
  await page.getByLabel('Text').fill(HOME);
  await page.getByRole('button', { name: 'Preview' }).click();
  expect(await page.getByRole('status').textContent()).toContain('not saved yet');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('link', { name: 'Fuel' }).click();
  await page.getByRole('link', { name: 'Write it' }).click();
  await save(page, 'One unit for each instruction.');
  await page.getByRole('link', { name: 'Edit' }).click();
  await save(page, 'One unit for each instruction, more for dear ones.');
  await page.getByRole('link', { name: 'History' }).click();
  await page.getByRole('link', { name: 'what changed' }).first().click();
  expect(await page.locator('ins').textContent()).toContain('more for dear ones');
  await page.getByRole('searchbox').fill('dear');
  await page.getByRole('searchbox').press('Enter');
  expect(await page.getByRole('status').textContent()).toContain('1 page');
  await page.goto(service('wiki'));
  await page.setViewportSize({ width: 1000, height: 600 });
  await picture(page, 'handlers/wiki/screenshot.png');
  await page.getByRole('link', { name: 'Fuel' }).click();
  await page.getByRole('link', { name: 'Rename' }).click();
  await page.getByLabel('New name').fill('Fuel and gas');
  await page.getByRole('button', { name: 'Rename' }).click();
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Fuel and gas');
  await page.getByRole('link', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete the page' }).click();
  expect(await page.getByRole('main').textContent()).toContain('does not exist yet');
});

test('of two who edit at once the second is shown both texts, and nothing is lost', async ({ visit }) => {
  const [first, second] = [await visit(edit('Together')), await visit(edit('Together'))];
  await save(first, 'what the first wrote');
  await save(second, 'what the second wrote');
  expect(await second.getByRole('alert').textContent()).toContain('changed while you wrote');
  expect(await second.locator('ins').textContent()).toBe('what the first wrote');
  expect(await second.getByLabel('Text').inputValue()).toBe('what the second wrote');
  await inspect(second);
  await save(second, 'what the first wrote\nwhat the second wrote');
  await first.reload();
  expect(await first.getByRole('article').textContent()).toMatch(/the first wrote\s+what the second wrote/);
});

test('markup in a text, a link and a search stays text', async ({ visit }) => {
  const page = await visit(edit('Attack'));
  const attack = '<script>alert(1)</script> <img src=x onerror=alert(2)>';
  await save(page, `${attack} [press](javascript:alert(3)) ![x](x" onerror="alert(4))`);
  expect(await page.getByRole('article').textContent()).toContain(attack);
  expect(await page.locator('main script, [onerror], [href^="javascript"]').count()).toBe(0);
  await page.goto(service('wiki', `/_search?q=${encodeURIComponent(`">${attack}`)}`));
  expect(await page.getByRole('searchbox').inputValue()).toBe(`">${attack}`);
  expect(await page.locator('script, main img').count()).toBe(0);
});

test('every view is for everybody: read aloud, by keyboard, on a phone, in the dark', async ({ visit }) => {
  const page = await visit(edit('Views'));
  await save(
    page,
    `# Top\n\n${HOME}\n\n    ${'a long line of code '.repeat(20)}\n\n${'w'.repeat(300)}\n\n- [ ] task\n1. one\n`,
  );
  for (const path of ['/Views', '/Views?action=edit', '/Views?action=history', '/Views?action=diff&to=1']) {
    await page.goto(service('wiki', path));
    await inspect(page);
  }
  for (const path of ['/_index', '/_recent', '/_search?q=WASM', '/Views?action=rename', '/Not%20there']) {
    await page.goto(service('wiki', path));
    await inspect(page);
  }
});
