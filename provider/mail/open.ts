import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openDatabase } from '../store/index.ts';
import { generateMailKey, mailKeyOf } from './age.ts';
import { MailError } from './errors.ts';
import { Mail, type MailInit } from './mail.ts';
import { MailStore } from './store.ts';

export interface OpenMailInit extends Omit<MailInit, 'store' | 'identity'> {
  dataDir: string | undefined;
}

/** The mail of a node's identity: `mail-PEER-ID.sqlite` and `.key` in its directory. @throws StoreError, MailError */
export async function openMail({ dataDir, ...init }: OpenMailInit): Promise<Mail> {
  const name = `mail-${init.node.libp2p.peerId.toString()}`;
  if (dataDir === undefined) {
    return new Mail({ ...init, store: new MailStore(openDatabase(':memory:')), identity: await generateMailKey() });
  }
  const identity = await loadMailKey(join(dataDir, `${name}.key`));
  return new Mail({ ...init, store: new MailStore(openDatabase(join(dataDir, `${name}.sqlite`))), identity });
}

/** The age identity in `path`, made on first use. Whoever loses the file cannot read letters that wait for him. */
async function loadMailKey(path: string): Promise<string> {
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unusable(path, error.message);
  });
  if (known !== undefined) return check(path, known.trim());
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(`${await generateMailKey()}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // Unlike rename, link fails when another process made the key first; then theirs is the one that counts.
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return check(path, (await readFile(path, 'utf8')).trim());
}

async function check(path: string, identity: string): Promise<string> {
  try {
    await mailKeyOf(identity);
  } catch (error) {
    throw unusable(path, `it is no age identity (${(error as Error).message})`);
  }
  return identity;
}

function unusable(path: string, reason: string): MailError {
  return new MailError(
    'NO_MAIL_KEY',
    `The mail key ${path} cannot be used: ${reason}. Restore it from a backup, or move it away to begin with a new one.`,
  );
}
