import { join } from 'node:path';
import type { Command } from 'commander';
import { CID } from 'multiformats/cid';
import { rawCid } from '../../sdk/protocol/index.ts';
import { CONFIG_FILE, defaultDirectory, parseConfig, readConfigFile } from '../config.ts';
import { UsageError } from './errors.ts';
import { readInput } from './options.ts';

/** Flags of every command that acts as a consumer. */
export interface ConsumerFlags {
  home: string;
  identity?: string;
}

export function addConsumerFlags(command: Command): Command {
  return command
    .option(
      '--home <DIR>',
      `directory of this consumer: identity, ledger, blocks, and ${CONFIG_FILE} with [routing]`,
      defaultDirectory('consumer'),
    )
    .option('--identity <FILE>', "identity to act as; made if missing. Default: the directory's own");
}

/** A consumer node for one command; of workswap.toml in its directory, `[routing]` and `dnslink` in `[services]` are its. Each identity has a ledger of its own; blocks are shared. */
export async function openConsumer({ home, identity }: ConsumerFlags, { contacts = [] }: { contacts?: string[] } = {}) {
  // libp2p takes a third of a second to load: only commands that need the network do.
  const [{ createConsumer }, { loadIdentity }] = await Promise.all([
    import('../consumer.ts'),
    import('../node/index.ts'),
  ]);
  const { peerIdFromPrivateKey } = await import('@libp2p/peer-id');
  const { routing: own, dnslink } = await consumerConfig(home);
  const routing = { ...own, bootstrap: [...own.bootstrap, ...contacts] };
  if (identity === undefined) return createConsumer({ dataDir: home, routing, dnslink });
  const privateKey = await loadIdentity(identity);
  return createConsumer({
    dataDir: home,
    routing,
    dnslink,
    privateKey,
    ledgerFile: `ledger-${peerIdFromPrivateKey(privateKey).toString()}.sqlite`,
  });
}

/** What a consumer takes from the workswap.toml in its directory. */
export async function consumerConfig(home: string) {
  const path = join(home, CONFIG_FILE);
  const { routing, services } = parseConfig((await readConfigFile(path)) ?? {}, path);
  return { routing, dnslink: services.dnslink };
}

/** A handler as the user names it: a CID, or a file whose bytes become a block of ours. */
export async function resolveHandler(text: string, put: (cid: CID, bytes: Uint8Array) => unknown): Promise<CID> {
  const cid = parseCid(text);
  if (cid !== undefined) return cid;
  const bytes = await readInput(text).catch((error: unknown) => {
    throw text.endsWith('.wasm') ? error : new UsageError(`${text} is neither a CID nor a file`);
  });
  const own = rawCid(bytes);
  await put(own, bytes);
  return own;
}

export function parseCid(text: string): CID | undefined {
  try {
    return CID.parse(text);
  } catch {
    return undefined;
  }
}

/** Ctrl-C cancels what is under way; a second one ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new UsageError(`Stopped by ${name}`));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

export function blocksDirectory(data: string): string {
  return join(data, 'blocks');
}
