import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { loadIdentity } from '../node/index.ts';

/** Where a running provider says how commands of the same machine reach it. */
const FILE = 'provider.json';
/** What those commands act as: it may have services hosted here, and lives in the provider's own directory. */
const MAINTAINER_KEY = 'maintainer.key';

const schema = z.object({ peerId: z.string(), addrs: z.array(z.string()).max(64), pid: z.number().int() });

export type LocalProvider = z.output<typeof schema>;

export async function writeLocalProvider(dataDir: string, provider: Omit<LocalProvider, 'pid'>): Promise<void> {
  const path = join(dataDir, FILE);
  const text = `${JSON.stringify({ ...provider, pid: process.pid })}\n`;
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export async function removeLocalProvider(dataDir: string): Promise<void> {
  await rm(join(dataDir, FILE), { force: true });
}

/** The provider that runs in this directory; undefined when there is none. A killed one leaves its file behind. */
export async function readLocalProvider(dataDir: string): Promise<LocalProvider | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(join(dataDir, FILE), 'utf8')));
  } catch {
    return undefined;
  }
}

/** @throws IdentityError */
export function loadMaintainerKey(dataDir: string): ReturnType<typeof loadIdentity> {
  return loadIdentity(join(dataDir, MAINTAINER_KEY));
}
