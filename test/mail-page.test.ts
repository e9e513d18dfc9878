import { expect, it, onTestFinished } from 'vitest';
import { startMailPage } from '../provider/gateway/mail/index.ts';
import { openMail } from '../provider/mail/index.ts';
import { consumer } from './fixtures.ts';
import { endpointOf, mailboxProvider } from './mailbox-scene.ts';

async function page() {
  const host = await mailboxProvider();
  const node = await consumer({ routing: { bootstrap: [host.addrs[0]!] } });
  const mail = await openMail({ node, dataDir: undefined });
  onTestFinished(() => mail.close());
  await mail.openAt([endpointOf(host)]);
  const served = await startMailPage(mail, '127.0.0.1:0', (error) => {
    throw error;
  });
  onTestFinished(() => served.stop());
  const { origin } = new URL(served.url);
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${origin}/api/${path}`, {
      method,
      headers: { authorization: `Bearer ${served.token}`, accept: 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
  };
  return { mail, origin, ask, token: served.token };
}

it('the mail page answers only who has the token, at its own host, and its shell holds nothing', async () => {
  const { origin, ask, mail, token } = await page();
  const { status } = await ask('GET', 'letters', undefined, { authorization: 'Bearer wrong' });
  expect(status).toBe(401);
  expect((await ask('GET', 'letters', undefined, { authorization: '' })).status).toBe(401);
  // The token is taken from the header only: what a link or a cookie of another site brings is none.
  expect((await fetch(`${origin}/api/letters?token=${token}`)).status).toBe(401);
  expect((await fetch(`${origin}/api/letters`, { headers: { cookie: `token=${token}` } })).status).toBe(401);
  const shell = await fetch(origin);
  expect(shell.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await shell.text()).not.toContain(mail.address);
  for (const path of ['/../store.ts', '/page/index.html', '/mail.ts'])
    expect((await fetch(`${origin}${path}`)).status).toBe(404);
  const { request } = await import('node:http');
  const rebound = await new Promise<number | undefined>((resolve, reject) => {
    request(
      `${origin}/api/letters`,
      { headers: { host: 'evil.example', authorization: `Bearer ${token}` } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    )
      .on('error', reject)
      .end();
  });
  expect(rebound).toBe(421);
});

it('letters are written, read, answered and removed through the page, and what is no letter is refused', async () => {
  const { ask, mail } = await page();
  await ask('POST', 'contacts', { name: 'me', peer: mail.address });
  const { answer: attached } = await ask('POST', 'attachments?name=a.txt&type=text/plain', 'attached');
  const sent = await ask('POST', 'letters', {
    to: ['me'],
    subject: 'Note',
    text: '<b>milk</b>',
    attachments: [attached],
  });
  expect(sent).toMatchObject({ status: 200, answer: { deliveries: [{ isSent: true }] } });
  expect(await ask('POST', 'sync')).toEqual({ status: 200, answer: { received: 1, errors: [] } });
  const { answer } = await ask('GET', 'letters');
  const { id } = (answer as { letters: { id: string }[] }).letters[0]!;
  expect(answer).toMatchObject({ unread: 1, letters: [{ subject: 'Note', isRead: false }] });
  expect((await ask('GET', `letters/${id}`)).answer).toMatchObject({
    text: '<b>milk</b>',
    attachments: [{ name: 'a.txt' }],
  });
  expect((await ask('GET', 'letters')).answer).toMatchObject({ unread: 0 });
  for (const [body, status] of [
    ['{', 400],
    [{}, 400],
    [{ to: ['nobody'] }, 404],
    [{ to: [] }, 409],
    [{ to: ['me'], subject: 'two\nlines' }, 409],
    [{ to: ['me'], extra: 1 }, 400],
    [{ to: ['me'], attachments: [{ ...attached, name: '../x' }] }, 409],
    [{ to: ['me'], attachments: [{ ...attached, cid: 'nothing' }] }, 409],
    [{ to: Array.from({ length: 51 }, (_, i) => `c${i}`) }, 404],
    [{ to: Array.from({ length: 10_000 }, () => 'me') }, 400],
    [{ to: ['me'], text: 'x'.repeat(3_000_000) }, 413],
  ] as const) {
    expect({ body, status: (await ask('POST', 'letters', body)).status }).toEqual({ body, status });
  }
  expect((await ask('GET', 'letters/ffff')).status).toBe(404);
  expect((await ask('POST', 'attachments?name=a&type=text/plain', 'x'.repeat(33 * 1024 * 1024))).status).toBe(413);
  expect((await ask('DELETE', `letters/${id}`)).status).toBe(200);
  expect((await ask('GET', 'letters')).answer).toMatchObject({ letters: [] });
});
