import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import { z } from 'zod';
import { UsageError } from './errors.ts';

const schema = z.record(z.string(), z.string());
const PROVIDERS_MAX = 1000;

function fileOf(home: string): string {
  return join(home, 'providers.json');
}

/** Where providers were reached last, by peer id: so that `verify` can fetch from them what it misses. */
export async function knownAddress(home: string, peer: string): Promise<string | undefined> {
  return (await readAll(home))[peer];
}

export async function rememberAddress(home: string, peer: string, address: string): Promise<void> {
  const { [peer]: known, ...others } = await readAll(home);
  if (known === address) return;
  const kept = Object.entries(others).slice(1 - PROVIDERS_MAX);
  const file = fileOf(home);
  await writeFile(`${file}.new`, JSON.stringify(Object.fromEntries([...kept, [peer, address]])));
  await rename(`${file}.new`, file);
}

/** A list that is missing or damaged is an empty one: it is a convenience, and the next call makes it anew. */
async function readAll(home: string): Promise<Record<string, string>> {
  try {
    return schema.parse(JSON.parse(await readFile(fileOf(home), 'utf8')));
  } catch {
    return {};
  }
}

/** The peer id at the end of an address. @throws UsageError */
export function checkPeerAddress(flag: string, text: string): string {
  try {
    const last = multiaddr(text).getComponents().at(-1);
    if (last?.name === 'p2p' && last.value !== undefined) return last.value;
  } catch {
    // Said below.
  }
  throw new UsageError(`${flag} takes a multiaddr that ends in /p2p/PEER-ID, not ${text}`);
}
