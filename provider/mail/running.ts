import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { lockHolder } from '../store/index.ts';

/** Where the process that has somebody's mail open answers requests of its owner. */
export interface RunningMail {
  /** `http://HOST:PORT` */
  url: string;
  /** Opens it. */
  token: string;
}

const schema = z.object({ url: z.url(), token: z.string().min(1), pid: z.int() });

/** The files of the mail of one identity, in its directory. */
export function mailFiles(dataDir: string, peer: string): { key: string; letters: string; running: string } {
  const path = join(dataDir, `mail-${peer}`);
  return { key: `${path}.key`, letters: `${path}.sqlite`, running: `${path}.json` };
}

/** To be said by the process that has the mail open, when it answers. Readable by its owner only. */
export async function sayRunning(dataDir: string, peer: string, { url, token }: RunningMail): Promise<void> {
  const { running } = mailFiles(dataDir, peer);
  await writeFile(`${running}.new`, JSON.stringify({ url, token, pid: process.pid }), { mode: 0o600 });
  await rename(`${running}.new`, running);
}

export async function sayStopped(dataDir: string, peer: string): Promise<void> {
  await rm(mailFiles(dataDir, peer).running, { force: true });
}

/**
 * Who has this mail open and answers requests; undefined when nobody does. A killed process leaves its file behind, and
 * whoever listens at its port by now must not be told a letter: only the holder of the lock is believed.
 */
export async function findRunning(dataDir: string, peer: string): Promise<RunningMail | undefined> {
  const { running, letters } = mailFiles(dataDir, peer);
  const known = await readFile(running, 'utf8').then(
    (text) => schema.safeParse(JSON.parse(text)).data,
    () => undefined,
  );
  return known !== undefined && lockHolder(letters) === known.pid ? known : undefined;
}
