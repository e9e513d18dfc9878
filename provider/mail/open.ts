import { readFile } from 'node:fs/promises';
import { createOnce, openDatabase } from '../store/index.ts';
import { generateMailKey, mailKeyOf } from './age.ts';
import { MailError } from './errors.ts';
import { Mail, type MailInit } from './mail.ts';
import { mailFiles, sayStopped } from './running.ts';
import { MailStore } from './store.ts';

export interface OpenMailInit extends Omit<MailInit, 'store' | 'identity'> {
  dataDir: string | undefined;
}

/** The mail of a node's identity: `mail-PEER-ID.sqlite` and `.key` in its directory. @throws StoreError, MailError */
export async function openMail({ dataDir, ...init }: OpenMailInit): Promise<Mail> {
  if (dataDir === undefined) {
    return new Mail({ ...init, store: new MailStore(openDatabase(':memory:')), identity: await generateMailKey() });
  }
  const peer = init.node.libp2p.peerId.toString();
  const { key, letters } = mailFiles(dataDir, peer);
  const identity = await loadMailKey(key);
  const store = new MailStore(openDatabase(letters));
  // Of a process that was killed, and may have had our number.
  await sayStopped(dataDir, peer);
  return new Mail({ ...init, store, identity });
}

/** The age identity in `path`, made on first use. Whoever loses the file cannot read letters that wait for him. */
async function loadMailKey(path: string): Promise<string> {
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unusable(path, error.message);
  });
  if (known !== undefined) return check(path, known.trim());
  await createOnce(path, `${await generateMailKey()}\n`);
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
