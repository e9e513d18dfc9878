import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { CID } from 'multiformats/cid';
import { openReceipt } from '../../sdk/protocol/index.ts';
import { defaultDirectory } from '../config.ts';
import type { Consumer } from '../consumer.ts';
import { verifyReceipt } from '../jobs/index.ts';
import type { GetBlock } from '../store/index.ts';
import { knownAddress } from './addresses.ts';
import { UsageError } from './errors.ts';
import { BlockMissingError, openLocalEngine } from '../local-engine.ts';
import { readInput } from './options.ts';
import { blocksDirectory, consumerConfig, interruptSignal, openConsumer, parseCid } from './session.ts';

interface VerifyFlags {
  data: string;
  from?: string;
  timeout: string;
  json?: boolean;
}

export function addVerify(program: Command): Command {
  return program
    .command('verify')
    .description('Run the task of a receipt again and compare output, fuel, memory and price, bit for bit.')
    .argument(
      '<receipt>',
      "the receipt's CID as `call` printed it, a receipt block's file, or the JSON that `call --json` printed",
    )
    .option('--data <DIR>', 'directory of the consumer that keeps the receipt', defaultDirectory('consumer'))
    .option('--from <ADDRESS>', 'a peer to fetch missing blocks from; default: the provider, where it was reached last')
    .option('--timeout <MS>', 'wall-clock limit of the re-run', '60000')
    .option('--json', 'print {"verified", "differs"}')
    .addHelpText('after', '\nExamples:\n  workswap verify bafyrei...\n  workswap verify answer.json --from ADDRESS')
    .action(verify);
}

async function verify(text: string, flags: VerifyFlags): Promise<void> {
  const { receipt, cid } = await readReceipt(text);
  const signal = interruptSignal();
  const directory = blocksDirectory(flags.data);
  let provider: string | undefined;
  let consumer: Promise<Consumer> | undefined;
  const fetchMissing: GetBlock = async (missing, options) => {
    consumer ??= connectTo(flags, provider, missing, signal);
    return (await consumer).bitswap.get(missing, options);
  };
  const engine = await openLocalEngine(existsSync(directory) ? directory : undefined, new Map(), fetchMissing);
  try {
    const bytes = receipt ?? (await engine.getBlock(cid!, { signal }));
    provider = openReceipt(bytes).receipt.provider;
    const {
      verified,
      differs,
      found,
      receipt: sealed,
    } = await verifyReceipt(bytes, {
      getBlock: (block) => engine.getBlock(block, { signal }),
      modules: engine.modules,
      sandbox: engine.sandbox,
      timeoutMs: Number(flags.timeout),
    });
    if (flags.json) console.log(JSON.stringify({ verified, differs, found, receipt: sealed.cid.toString() }));
    else if (verified) {
      const { provider, usage, priceBytes } = sealed.receipt;
      console.log(`Verified: ${provider} did what its receipt says (output, ${usage.fuel} fuel, ${priceBytes} bytes).`);
    } else {
      console.log(`MISMATCH in ${differs.join(', ')}: the receipt is signed by ${sealed.receipt.provider}.`);
      for (const [name, value] of Object.entries(found)) console.log(`  ${name}: the re-run gave ${value}`);
    }
    if (!verified) process.exitCode = 1;
  } finally {
    await engine.close();
    await (await consumer?.catch(() => undefined))?.stop();
  }
}

/**
 * Missing blocks come from the peer that the user names, else from where the receipt's provider was reached last, else
 * from whom the routers of the directory's configuration find.
 */
async function connectTo(
  flags: VerifyFlags,
  provider: string | undefined,
  missing: CID,
  signal: AbortSignal,
): Promise<Consumer> {
  const address = flags.from ?? (provider === undefined ? undefined : await knownAddress(flags.data, provider));
  const { dht, delegated } = (await consumerConfig(flags.data)).routing;
  const canSearch = dht !== 'off' || delegated.length > 0;
  if (address === undefined && !canSearch) throw new BlockMissingError(missing);
  const consumer = await openConsumer({ home: flags.data });
  try {
    if (address !== undefined) {
      await consumer.connect(address, { signal }).catch((error: unknown) => {
        if (flags.from !== undefined || !canSearch || signal.aborted) throw error;
      });
    }
    return consumer;
  } catch (error) {
    await consumer.stop();
    throw error;
  }
}

async function readReceipt(text: string): Promise<{ receipt?: Uint8Array; cid?: CID }> {
  const cid = parseCid(text);
  if (cid !== undefined) return { cid };
  const bytes = await readInput(text);
  if (bytes[0] !== 0x7b) return { receipt: bytes };
  try {
    const { receipt } = JSON.parse(Buffer.from(bytes).toString()) as { receipt: { block: string } };
    const block = new Uint8Array(Buffer.from(receipt.block, 'base64'));
    openReceipt(block);
    return { receipt: block };
  } catch (error) {
    throw new UsageError(
      `${text} holds neither a receipt block nor the JSON of call --json: ${(error as Error).message}`,
    );
  }
}
