import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect, inject } from 'vitest';
import { DEFAULT_SETTINGS } from '../../provider/mailbox/index.ts';
import { consumer, offer } from '../fixtures.ts';
import { mailboxClient } from '../mailbox-scene.ts';
import { inspect } from './inspect.ts';
import { picture, service, test, type Visit } from './scene.ts';

/** The page tells of a change at its next sample. */
const SOON = { timeout: 30_000 };

async function openAdmin(visit: Visit): Promise<Page> {
  const page = await visit(inject('scene').admin, { viewport: { width: 1280, height: 1000 } });
  await page.getByRole('status').getByText('live').waitFor();
  return page;
}

const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true });

/** A stranger that runs a few jobs. */
async function trade(jobs: number) {
  const { addrs, hello: path } = inject('scene');
  const caller = await consumer();
  const client = await caller.connect(addrs);
  const hello = await offer(caller, await readFile(path));
  const call = async (path: string): Promise<void> => {
    const response = await client.call(hello, { path });
    for await (const _chunk of response);
    await response.receipt;
  };
  for (let i = 0; i < jobs; i++) await call(`/?name=${i}`);
  return { call, peer: caller.libp2p.peerId.toString() };
}

async function sign(visit: Visit, name: string): Promise<void> {
  const visitor = await visit(service('guestbook'));
  await visitor.getByLabel('Your name').fill(name);
  await visitor.getByLabel('Your message').fill('Seen by the operator.');
  await visitor.getByRole('button', { name: 'Sign the book' }).click();
}

test('the operator sees services, their commits and their visitors change as it happens', async ({ visit }) => {
  const page = await openAdmin(visit);
  const row = section(page, 'Services').getByRole('row').filter({ hasText: 'guestbook' });
  const commits = async (): Promise<number> => Number(await row.getByRole('cell').nth(2).textContent());
  await row.waitFor();
  const before = await commits();
  await sign(visit, 'Joan');
  await expect.poll(commits, SOON).toBe(before + 1);
  const root = await row.getByRole('link').nth(1).getAttribute('href');
  expect(root).toMatch(/\/ipfs\/bafy/);
  await page.getByLabel('Last commits of').selectOption('guestbook');
  expect(await section(page, 'Services').getByRole('table').nth(1).getByRole('row').count()).toBe(
    1 + Math.min(8, before + 1),
  );
  await expect.poll(() => section(page, 'Gateway').textContent(), SOON).toMatch(/Visitors1/);
  expect(await section(page, 'Jobs').textContent()).toContain('POST /sign');
});

test('a state root leads to the files of the state', async ({ visit }) => {
  const page = await openAdmin(visit);
  const row = section(page, 'Services').getByRole('row').filter({ hasText: 'guestbook' });
  await row.getByRole('link').nth(1).click();
  await page.getByRole('link', { name: 'entries' }).waitFor();
  await inspect(page);
});

test('the operator blocks a peer, changes the tariff, and fetches content', async ({ visit }) => {
  const { call, peer } = await trade(20);
  const page = await openAdmin(visit);
  await page.getByRole('button', { name: `Change the rule of ${peer}` }).press('Enter');
  const dialog = page.getByRole('dialog');
  expect(await dialog.textContent()).toContain(peer);
  await dialog.getByRole('button', { name: 'Block' }).click();
  await page.getByRole('alert').getByText('is changed').waitFor();
  const row = section(page, 'Accounts')
    .getByRole('row')
    .filter({ has: page.getByTitle(peer) });
  await row.getByText('blocked').waitFor();
  await expect(call('/')).rejects.toMatchObject({ code: 'OVER_CREDIT' });
  await section(page, 'Errors').getByText('OVER_CREDIT').first().waitFor();
  await section(page, 'Tariff').getByLabel('a job').fill('123');
  await section(page, 'Tariff').getByRole('button').click();
  await page.getByRole('alert').getByText('The tariff is now').waitFor();
  await section(page, 'Tariff').getByText('changed on this page').waitFor();
  await page.getByLabel('CID of the root').fill('<b>no CID</b>');
  await page.getByRole('button', { name: 'Fetch' }).click();
  await page.getByRole('alert').getByText('<b>no CID</b> is not a CID').waitFor();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: /Export/ }).click();
  expect((await download).suggestedFilename()).toBe('workswap-ledger.csv');
});

test('the operator sees what waits in mailboxes, and closes one after a question', async ({ visit }) => {
  const { addrs } = inject('scene');
  const [ada, bob] = await Promise.all([consumer(), consumer()]);
  const at = { peer: addrs[0]!.split('/p2p/')[1]!, addrs };
  const [sending, own] = await Promise.all([mailboxClient(ada).at(at), mailboxClient(bob).at(at)]);
  const peer = bob.libp2p.peerId.toString();
  await own.open(DEFAULT_SETTINGS);
  for (let i = 0; i < 3; i++) await sending.put(peer, randomBytes(16), randomBytes(5_000));
  const page = await openAdmin(visit);
  const row = section(page, 'Mailboxes')
    .getByRole('row')
    .filter({ has: page.getByTitle(peer) });
  await row.getByRole('cell', { name: '3', exact: true }).waitFor();
  expect(await row.textContent()).toMatch(/15\.4 KiB.*s ago.*senders/);
  const ask = page.getByRole('button', { name: `Close the mailbox of ${peer}` });
  await ask.click();
  const dialog = page.getByRole('dialog');
  expect(await dialog.textContent()).toMatch(/wait in it: 3\. Nobody will get them/);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect((await own.list()).waiting.messages).toBe(3);
  await ask.press('Enter');
  await dialog.getByRole('button', { name: 'Close it' }).click();
  await page.getByRole('alert').getByText('is closed').waitFor();
  await row.waitFor({ state: 'detached' });
  await expect(own.list()).rejects.toMatchObject({ code: 'MAILBOX_UNKNOWN' });
  // For whoever looks at the whole page.
  await own.open(DEFAULT_SETTINGS);
});

test('what strangers send stays text on the admin page', async ({ visit }) => {
  const { call } = await trade(1);
  const attack = '/<script>alert(1)</script><img src=x onerror=alert(2)>';
  await call(attack);
  const page = await openAdmin(visit);
  await section(page, 'Jobs').getByText(`GET ${attack}`).waitFor();
  expect(await page.locator('img, body script').count()).toBe(0);
});

test('the admin page is for everybody: read aloud, by keyboard, on a phone, in the dark', async ({ visit }) => {
  await Promise.all([trade(60), trade(40), visit(service('wiki')), visit(service('board'))]);
  for (const name of ['Emmy', 'Mary', 'Hedy']) await sign(visit, name);
  const page = await openAdmin(visit);
  await section(page, 'Handlers').getByText('board').waitFor();
  await page.setViewportSize({ width: 1280, height: 1240 });
  await picture(page, 'docs/admin.png');
  await inspect(page);
});
