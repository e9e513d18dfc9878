import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { directory } from './fixtures.ts';
import { endpointOf, mailboxClient } from './mailbox-scene.ts';
import { startProvider } from './processes.ts';
import { hex, scene, user, type User } from './mail-scene.ts';

it('letters of about the same length are of one size for the mailbox', async () => {
  const { host, users } = await scene(2);
  const [ada, bob] = users as [User, User];
  for (const text of ['', 'yes', 'no', 'x'.repeat(300)])
    await ada.mail.send({ to: [bob.mail.address], subject: text.slice(0, 40), text });
  const endpoint = await mailboxClient(bob.node).at(endpointOf(host));
  const { messages } = await endpoint.list();
  expect(new Set(messages.map(({ bytes }) => bytes)).size).toBe(1);
});

it('the provider of a mailbox has no word of a letter, on its disk or in its memory', async () => {
  const files = await directory();
  const data = join(files, 'provider');
  const config = join(files, 'workswap.toml');
  await writeFile(config, '[mailbox]\nhost = "anyone"\n');
  const host = await startProvider({ data, config });
  try {
    const place = { peer: host.peerId, addrs: host.addrs };
    const [ada, bob] = [await user([place]), await user([place])];
    const secret = randomBytes(24).toString('hex');
    const words = {
      subject: `subject-${secret}`,
      text: `text-${secret}`,
      name: `name-${secret}.txt`,
      content: `content-${secret}`,
    };
    const sent = await ada.mail.send({
      to: [bob.mail.address],
      subject: words.subject,
      text: words.text,
      attachments: [
        await ada.mail.attach({
          name: words.name,
          type: 'text/plain',
          content: Buffer.from(words.content.repeat(1000)),
        }),
      ],
    });
    expect(sent.deliveries).toMatchObject([{ isSent: true }]);
    // What it does know is found: the search works.
    const known = [ada.mail.address, bob.mail.address];
    const found = await search(host.child.pid!, data, [secret, ...known]);
    expect(found.get(secret)).toEqual([]);
    for (const peer of known) expect(found.get(peer)).toEqual(expect.arrayContaining(['disk', 'memory']));
    await bob.mail.sync();
    const read = await bob.mail.read(hex(sent.id));
    expect(read.letter.text).toBe(words.text);
    const attachment = await bob.mail.attachment(read, 0, AbortSignal.timeout(30_000));
    expect(Buffer.from(attachment).toString()).toBe(words.content.repeat(1000));
    expect((await search(host.child.pid!, data, [secret])).get(secret)).toEqual([]);
  } finally {
    await host.kill();
  }
});

const PAGE_BYTES = 4096;
const CHUNK_BYTES = 4 * 1024 * 1024;

/** Where each word stands: in a file below `data`, or in the memory of the process, as one or two bytes a character. */
async function search(pid: number, data: string, words: string[]): Promise<Map<string, string[]>> {
  const found = new Map(words.map((word) => [word, [] as string[]]));
  const look = (bytes: Buffer, where: string): void => {
    for (const [word, places] of found) {
      const isThere = bytes.includes(word) || bytes.includes(Buffer.from(word, 'utf16le'));
      if (isThere && !places.includes(where)) places.push(where);
    }
  };
  for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) look(await readFile(join(entry.parentPath, entry.name)), 'disk');
  }
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const memory = await open(`/proc/${pid}/mem`);
  const pages = await open(`/proc/${pid}/pagemap`);
  try {
    for (const line of (await readFile(`/proc/${pid}/maps`, 'utf8')).split('\n')) {
      const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
      if (range === null) continue;
      const [start, end] = [Number(`0x${range[1]}`), Number(`0x${range[2]}`)];
      // Overlapping by a page, so that nothing hides at an edge.
      for (let at = start; at < end; at += CHUNK_BYTES - PAGE_BYTES) {
        const length = Math.min(CHUNK_BYTES, end - at);
        // The engine reserves gigabytes that it never touches.
        const entries = Buffer.alloc((length / PAGE_BYTES) * 8);
        await pages.read(entries, 0, entries.length, (at / PAGE_BYTES) * 8);
        if (entries.every((byte, i) => i % 8 !== 7 || (byte & 0xc0) === 0)) continue;
        const read = await memory.read(chunk, 0, length, at).catch(() => undefined);
        if (read !== undefined) look(chunk.subarray(0, read.bytesRead), 'memory');
      }
    }
  } finally {
    await memory.close();
    await pages.close();
  }
  return found;
}
