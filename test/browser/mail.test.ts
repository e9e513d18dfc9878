import { expect, onTestFinished } from 'vitest';
import { startMailPage } from '../../provider/gateway/mail/index.ts';
import { openMail, type Mail } from '../../provider/mail/index.ts';
import type { Provider } from '../../provider/provider.ts';
import { consumer } from '../fixtures.ts';
import { endpointOf, mailboxProvider } from '../mailbox-scene.ts';
import { inspect } from './inspect.ts';
import { PHONE, picture, test } from './scene.ts';

async function mailAt(host: Provider): Promise<Mail> {
  const node = await consumer({ routing: { bootstrap: [host.addrs[0]!] } });
  const mail = await openMail({ node, dataDir: undefined });
  onTestFinished(() => mail.close());
  await mail.openAt([endpointOf(host)]);
  await mail.follow();
  return mail;
}

test('letters are read and answered on a phone, with files, and markup in them stays text', async ({ visit }) => {
  const host = await mailboxProvider();
  const [ada, bob] = [await mailAt(host), await mailAt(host)];
  bob.addContact('ada', ada.address);
  bob.verifyContact('ada', ada.address);
  const content = Buffer.from('the plan');
  const text = 'Dear Bob,\n\nhere is the plan. <img src=x onerror=alert(1)>\n\nAda';
  const attachments = [await ada.attach({ name: 'plan.txt', type: 'text/plain', content })];
  await ada.send({ to: [bob.address], subject: 'Holidays', text: 'In July?' });
  await ada.send({ to: [bob.address], subject: '<b>The plan</b>', text, attachments });
  const served = await startMailPage(bob, '127.0.0.1:0', () => {});
  onTestFinished(() => served.stop());
  const page = await visit(served.url, { viewport: PHONE });
  expect(page.url()).not.toContain(served.token);
  const row = page.getByRole('button', { name: '<b>The plan</b>' });
  await row.waitFor();
  await page.getByRole('button', { name: 'Inbox (2)' }).waitFor();
  await inspect(page);
  await page.setViewportSize(PHONE);
  await picture(page, 'docs/mail.png');
  await row.click();
  await page.getByText('here is the plan. <img src=x onerror=alert(1)>').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save plan.txt' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('plan.txt');
  await page.getByRole('button', { name: 'Reply' }).click();
  expect(await page.getByLabel('To (contacts').inputValue()).toBe('ada');
  await page.getByLabel('Letter', { exact: true }).fill('Good plan.');
  await page
    .getByLabel('Files')
    .setInputFiles({ name: 'answer.txt', mimeType: 'text/plain', buffer: Buffer.from('yes') });
  await inspect(page);
  const answered = new Promise<void>((resolve) => ada.onLetter(() => resolve()));
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText('Sent.').waitFor();
  await answered;
  const [answer] = ada.store.list({ box: 'in' });
  expect(answer).toMatchObject({ author: bob.address, subject: 'Re: <b>The plan</b>' });
});
