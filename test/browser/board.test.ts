import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { inspect } from './inspect.ts';
import { picture, service, test } from './scene.ts';

/** Makes a board of its own for a test, as a visitor does, and opens it. */
async function makeBoard(page: Page, title: string): Promise<void> {
  page.once('dialog', (dialog) => void dialog.accept(title));
  await page.getByRole('button', { name: 'New board' }).click();
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
}

async function addCard(page: Page, column: string, title: string): Promise<void> {
  await page.getByLabel(`New card in ${column}`).fill(title);
  await page.getByLabel(`New card in ${column}`).press('Enter');
  await page.getByRole('status').getByText(`Added ${title}.`).waitFor();
}

const cardsOf = (page: Page, column: string): Promise<string[]> =>
  page.getByRole('region', { name: column }).getByRole('heading', { level: 3 }).allTextContents();

test('cards are added, moved with the keyboard and with the mouse, and are there after a reload', async ({ visit }) => {
  const page = await visit(service('board'), { colorScheme: 'dark', viewport: { width: 1000, height: 560 } });
  await makeBoard(page, 'Plan');
  const titles = ['Measure the gateway', 'Write the page', 'Ask Grace', 'Publish it under a key', 'Tell the others'];
  for (const title of titles) await addCard(page, 'To do', title);
  await page.getByRole('button', { name: 'Move Write the page up' }).press('Enter');
  await page.getByRole('status').getByText('Moved to To do, place 1.').waitFor();
  await page.getByRole('button', { name: 'Move Write the page to Doing' }).press('Enter');
  await page.getByText('Moved to Doing').waitFor();
  expect(
    await page
      .getByRole('button', { name: /Write the page/ })
      .and(page.locator(':focus'))
      .count(),
  ).toBe(1);
  const card = page.getByRole('listitem').filter({ hasText: 'Ask Grace' });
  await card.dragTo(page.getByRole('region', { name: 'Done' }));
  await page.getByText('Moved to Done').waitFor();
  await picture(page, 'handlers/board/screenshot.png');
  await page.reload();
  await page.getByRole('heading', { level: 3 }).first().waitFor();
  for (const [column, cards] of [
    ['To do', ['Measure the gateway', 'Publish it under a key', 'Tell the others']],
    ['Doing', ['Write the page']],
    ['Done', ['Ask Grace']],
  ] as const) {
    expect(await cardsOf(page, column)).toEqual(cards);
  }
});

test('who changes a board that somebody else has changed is told, and sees how it is now', async ({ visit }) => {
  const first = await visit(service('board'));
  await makeBoard(first, 'Shared');
  await addCard(first, 'To do', 'theirs');
  const second = await visit(service('board'));
  await second.getByRole('combobox', { name: 'Board' }).selectOption('Shared');
  await second.getByRole('heading', { name: 'theirs' }).waitFor();
  await first.getByRole('button', { name: 'Remove theirs' }).click();
  await first.getByText('Removed.').waitFor();
  await second.getByLabel('New card in Doing').fill('mine');
  await second.getByLabel('New card in Doing').press('Enter');
  await second.getByRole('status').getByText('Somebody else changed').waitFor();
  expect(await cardsOf(second, 'To do')).toEqual([]);
  await addCard(second, 'Doing', 'mine');
  expect(await cardsOf(second, 'Doing')).toEqual(['mine']);
});

test('markup in titles stays text', async ({ visit }) => {
  const attack = '<script>alert(1)</script><img src=x onerror=alert(2)>';
  const page = await visit(service('board'));
  await makeBoard(page, attack);
  await addCard(page, 'To do', attack);
  await page.reload();
  await page.getByRole('combobox', { name: 'Board' }).selectOption(attack);
  await page.getByRole('heading', { level: 3 }).getByText('alert(1)').waitFor();
  expect(await page.locator('img, body script').count()).toBe(0);
});

test('the board is for everybody: read aloud, by keyboard, on a phone, in the dark', async ({ visit }) => {
  const page = await visit(service('board'));
  await makeBoard(page, 'For everybody');
  await addCard(page, 'To do', `A card with a long title ${'w'.repeat(120)}`);
  await inspect(page);
});
