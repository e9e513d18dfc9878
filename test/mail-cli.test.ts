import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { directory } from './fixtures.ts';
import { startProvider, workswap } from './processes.ts';

interface Answer extends Record<string, unknown> {
  address: string;
  letters: { id: string }[];
}

/** Goal: two people write to each other with nothing but the commands. Method: a provider, two homes. */
it('two people write to each other with nothing but the commands', async () => {
  const files = await directory();
  const config = join(files, 'workswap.toml');
  await writeFile(config, '[mailbox]\nhost = "anyone"\n');
  const host = await startProvider({ data: join(files, 'provider'), config });
  const as =
    (who: string) =>
    async (...args: string[]): Promise<Answer> => {
      const command = ['mail', ...args, '--home', join(files, who), '--json'];
      const { code, stdout, stderr } = await workswap(command);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      return JSON.parse(stdout.toString()) as Answer;
    };
  const [ada, bob] = [as('ada'), as('bob')];
  try {
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
    expect(table.stdout.toString()).toMatch(/bob +just now +The plan/);
    const nobody = await workswap(['mail', 'send', 'nobody', '--home', join(files, 'ada')]);
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('mail contacts add nobody') });
  } finally {
    await host.stop();
  }
});
