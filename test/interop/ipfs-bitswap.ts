import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BlockPeer } from './block-peer.ts';
import { INTEROP_CACHE } from './go-program.ts';

const SOURCE = join(import.meta.dirname, 'ipfs-bitswap');
const FILES = ['package.json', 'package-lock.json', 'peer.mjs'];

/** npm says so when the lock does not fit: that is a mistake here, not a machine without a registry. */
const OUR_MISTAKE = /EUSAGE|EINTEGRITY/;

/** ipfs-bitswap (`ipfs-bitswap/`) with only these protocols, or with all that it knows. */
export async function startIpfsBitswap(...protocols: string[]): Promise<BlockPeer> {
  return BlockPeer.start(process.execPath, [join(await directory(), 'peer.mjs'), ...protocols]);
}

/** Installs it outside the checkout, once for each state of its files. Returns why it cannot be had, if so. */
export async function installIpfsBitswap(): Promise<string | undefined> {
  const target = await directory();
  if (existsSync(target)) return undefined;
  await mkdir(INTEROP_CACHE, { recursive: true });
  const building = await mkdtemp(`${target}-`);
  try {
    for (const file of FILES) await copyFile(join(SOURCE, file), join(building, file));
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1', '--loglevel=error'];
    await promisify(execFile)('npm', ['ci', '--prefix', building, ...flags], { cwd: building, timeout: 300_000 });
    // Somebody else may have been faster; both have installed the same.
    await rename(building, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error;
    });
    return undefined;
  } catch (error) {
    const reason = String(error);
    if (OUR_MISTAKE.test(reason)) throw error;
    const code = /npm error code (\S+)/.exec(reason)?.[1] ?? reason;
    return `ipfs-bitswap is not tested, because npm cannot install it: ${code}`;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

async function directory(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of FILES) hash.update(await readFile(join(SOURCE, file)));
  return join(INTEROP_CACHE, `ipfs-bitswap-${hash.digest('hex').slice(0, 16)}`);
}
