import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { directory } from './fixtures.ts';
import { startProvider, startServer, workswap } from './processes.ts';

interface Answer extends Record<string, unknown> {
  address: string;
  letters: { id: string }[];
}

async function scene() {
  const files = await directory();
  const config = join(files, 'workswap.toml');
  await writeFile(config, '[mailbox]\nhost = "anyone"\n');
  const host = await startProvider({ data: join(files, 'provider'), config });
  onTestFinished(() => host.kill());
  const as =
    (who: string) =>
    async (...args: string[]): Promise<Answer> => {
      const command = ['mail', ...args, '--home', join(files, who), '--json'];
      const { code, stdout, stderr } = await workswap(command);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      return JSON.parse(stdout.toString()) as Answer;
    };
  return { files, host, as };
}

/** Goal: two people write to each other with nothing but the commands. Method: a provider, two homes. */
it('two people write to each other with nothing but the commands', async () => {
  const { files, host, as } = await scene();
  const [ada, bob] = [as('ada'), as('bob')];
  const { address: adas } = await ada('open', '--at', host.addrs[0]!);
  const { address: bobs } = await bob('open', '--at', host.addrs[0]!);
  await ada('contacts', 'add', 'bob', bobs);
  await ada('contacts', 'verify', 'bob', bobs);
  expect(await ada('contacts')).toEqual({ contacts: [{ name: 'bob', peer: bobs, isVerified: true }], blocked: [] });
  await mkdir(join(files, 'to send'));
  const plan = join(files, 'to send', 'plan.txt');
  await writeFile(plan, 'the plan\n'.repeat(1000));
  const sent = await ada('send', 'bob', '--subject', 'The plan', '--text', `@${plan}`, '--attach', plan);
  expect(sent['deliveries']).toEqual([{ recipient: bobs, isSent: true }]);
  const { letters, unread } = await bob('ls');
  expect({ letters, unread }).toMatchObject({
    letters: [{ from: adas, subject: 'The plan', isRead: false }],
    unread: 1,
  });
  const id = letters[0]!.id;
  const saved = join(files, 'saved');
  const letter = await bob('read', id.slice(0, 8), '--save', saved);
  expect(letter).toMatchObject({ text: 'the plan\n'.repeat(1000), saved: [join(saved, 'plan.txt')] });
  expect(await readFile(join(saved, 'plan.txt'), 'utf8')).toBe('the plan\n'.repeat(1000));
  // Its name came from somebody else, so it replaces nothing.
  const again = await workswap(['mail', 'read', id, '--save', saved, '--home', join(files, 'bob')]);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already') });
  await bob('send', adas, '--reply', id, '--text', 'Good.');
  expect((await ada('ls')).letters).toMatchObject([{ contact: 'bob', subject: 'Re: The plan', thread: id }]);
  expect((await ada('ls', '--thread', id.slice(0, 8), '--offline')).letters.length).toBe(2);
  await bob('rm', id);
  expect((await bob('ls')).letters).toEqual([]);
  const table = await workswap(['mail', 'ls', '--sent', '--offline', '--home', join(files, 'ada')]);
  expect(table.stdout.toString()).toMatch(/bob +(just now|\d+ min) +The plan/);
  const nobody = await workswap(['mail', 'send', 'nobody', '--home', join(files, 'ada')]);
  expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('mail contacts add nobody') });
  // A mailbox that is given up is emptied first.
  await ada('send', 'bob', '--subject', 'The last');
  expect(await bob('close', '--at', host.peerId)).toEqual({ mailboxes: [{ peer: host.peerId, messages: 0 }] });
  expect((await bob('ls')).letters).toMatchObject([{ subject: 'The last' }]);
  const unasked = await workswap(['mail', 'close', '--home', join(files, 'bob')]);
  expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') });
});

/** Goal: the page and the commands are used at once. Method: a gateway with the mail of a home, and every command beside it. */
it('while a gateway shows the mail, the commands do all that they do without it', async () => {
  const { files, host, as } = await scene();
  const [ada, bob] = [as('ada'), as('bob')];
  const home = join(files, 'bob');
  const serve = (...args: string[]) =>
    startServer(['gateway', '--json', '--home', home, '--listen', '127.0.0.1:0', '--peer', host.addrs[0]!, ...args]);
  const gateway = await serve('--mail', '127.0.0.1:0');
  onTestFinished(() => gateway.kill());
  const page = new URL(gateway.ready['mail'] as string);
  const headers = { authorization: `Bearer ${page.hash.slice(1)}` };
  const onPage = async (path: string) =>
    (await (await fetch(`${page.origin}/api/${path}`, { headers })).json()) as Answer;
  const { address: bobs } = await bob('open', '--at', host.addrs[0]!);
  const { address: adas } = await ada('open', '--at', host.addrs[0]!);
  await bob('contacts', 'add', 'ada', adas);
  await bob('contacts', 'verify', 'ada', adas);
  await bob('contacts', 'block', bobs);
  await bob('contacts', 'unblock', bobs);
  expect(await onPage('contacts')).toEqual({ contacts: [{ name: 'ada', peer: adas, isVerified: true }], blocked: [] });
  const plan = join(files, 'plan.bin');
  await writeFile(plan, Buffer.alloc(3_000_000, 'plan'));
  await ada('send', bobs, '--subject', 'The plan', '--attach', plan);
  const { letters } = await bob('ls');
  expect(letters).toMatchObject([{ from: adas, contact: 'ada', subject: 'The plan', isRead: false }]);
  expect((await onPage('letters')).letters.map(({ id }) => id)).toEqual([letters[0]!.id]);
  const { saved } = await bob('read', letters[0]!.id.slice(0, 6), '--save', join(files, 'saved'));
  expect(Buffer.compare(await readFile((saved as string[])[0]!), await readFile(plan))).toBe(0);
  const answer = await bob('send', 'ada', '--reply', letters[0]!.id, '--text', 'Good.', '--attach', plan);
  expect(answer['deliveries']).toEqual([{ recipient: adas, isSent: true }]);
  expect((await ada('ls')).letters).toMatchObject([{ from: bobs, subject: 'Re: The plan' }]);
  // Many at once.
  const many = Array.from({ length: 4 }, (_, i) => bob('send', 'ada', '--subject', `${i}`));
  await Promise.all(many);
  expect((await ada('ls')).letters.length).toBe(5);
  await bob('rm', letters[0]!.id);
  expect((await bob('ls')).letters).toEqual([]);
  const nobody = await workswap(['mail', 'send', 'nobody', '--home', home]);
  expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('mail contacts add nobody') });
  // What a killed gateway leaves behind leads nowhere: the command opens the mail itself.
  await gateway.kill();
  expect((await bob('ls', '--sent', '--offline')).letters.length).toBe(5);
  const without = await serve();
  onTestFinished(() => without.kill());
  const refused = await workswap(['mail', 'ls', '--home', home]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/STORE_LOCKED.*start it with --mail/s) });
  expect(await without.stop()).toBe(0);
});
