import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { importer } from 'ipfs-unixfs-importer';
import { MemoryBlockstore } from 'blockstore-core';
import type { CID } from 'multiformats/cid';
import { buildHandler } from '../../sdk/build/index.ts';
import { JobError } from '../../sdk/client/index.ts';
import type { Client } from '../../sdk/client/index.ts';
import { rawCid } from '../../sdk/protocol/index.ts';
import type { SealedReceipt } from '../../sdk/protocol/index.ts';
import { createConsumer } from '../consumer.ts';
import type { Consumer } from '../consumer.ts';
import { readAccounts } from '../ledger/index.ts';
import { verifyReceipt } from '../jobs/index.ts';
import { openLocalEngine } from '../local-engine.ts';
import { blocksDirectory, interruptSignal } from './session.ts';
import { formatBytes, formatCount, formatTable } from './output.ts';

const MIB = 1024 * 1024;
/** Small enough that a few pictures use it up; no refresh, so that only trade gives credit back. */
const CREDIT_LINE_BYTES = 4 * MIB;
const PICTURE = { path: '/?width=640&height=480&iterations=500' };
const LIMITS = { priceMaxBytes: 2 * MIB };
const FILM_BYTES = 6 * MIB;
const WORKSWAP = fileURLToPath(new URL('./workswap.js', import.meta.url));
const MANDELBROT = fileURLToPath(new URL('../../handlers/mandelbrot/assembly/index.ts', import.meta.url));

export function addDemo(program: Command): Command {
  return program
    .command('demo')
    .description('Show the whole trade in two processes: computed content is paid with stored content. Ends by itself.')
    .action(demo);
}

async function demo(): Promise<void> {
  const signal = interruptSignal();
  const directory = await mkdtemp(join(tmpdir(), 'workswap-demo-'));
  const film = await makeFilm();
  const provider = await startProvider(directory, film.root, signal);
  const consumer = await createConsumer({ dataDir: join(directory, 'consumer') });
  const trade = new Trade();
  try {
    const client = await consumer.connect(provider.address, { signal });
    const { wasm } = await buildHandler(MANDELBROT);
    const handler = rawCid(wasm);
    await consumer.blocks.put(handler, wasm);
    console.log(
      `A provider with a credit line of ${formatBytes(CREDIT_LINE_BYTES)}, a consumer with a handler (${formatBytes(wasm.length)}).\n`,
    );
    const receipts = await computeUntilRefused(consumer, client, handler, trade, signal);
    console.log(
      `\nThe consumer has the content that the provider wants (${formatBytes(FILM_BYTES)}) and offers it over Bitswap ...\n`,
    );
    for (const [cid, bytes] of film.blocks) await consumer.blocks.put(cid, bytes);
    const fetched = await provider.fetched;
    trade.row('provider fetches content', '', -Number(fetched['bytes']), undefined);
    receipts.push(await compute(consumer, client, handler, trade, signal));
    console.log();
    // A running node writes what it booked for blocks within a second; one that has stopped has written everything.
    await provider.stop();
    await conclude(consumer, client, provider.data, receipts.at(-1)!, directory);
  } finally {
    await consumer.stop();
    await provider.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Prints the story as a table that grows while it happens. */
class Trade {
  readonly #widths = [30, 34, 14, 16];

  constructor() {
    this.#print(['what happens', 'fuel', 'bytes', 'consumer owes']);
  }

  row(what: string, fuel: string, bytes: number | undefined, owes: number | undefined): void {
    this.#print([
      what,
      fuel,
      bytes === undefined ? '' : `${bytes < 0 ? '-' : '+'}${formatBytes(Math.abs(bytes))}`,
      owes === undefined ? '' : formatBytes(owes),
    ]);
  }

  #print(cells: string[]): void {
    console.log(
      cells.map((cell, i) => (i < 2 ? cell.padEnd(this.#widths[i]!) : cell.padStart(this.#widths[i]!))).join(''),
    );
  }
}

async function compute(
  consumer: Consumer,
  client: Client,
  handler: CID,
  trade: Trade,
  signal: AbortSignal,
): Promise<SealedReceipt> {
  const prepared = client.prepare(handler, PICTURE, LIMITS);
  const response = await client.run(prepared, { signal });
  const png = await response.bytes();
  const sealed = await response.receipt;
  await consumer.keepEvidence(client, prepared, sealed);
  const { usage, priceBytes } = sealed.receipt;
  const what = `job: a picture of ${formatBytes(png.length)}${usage.compiledBytes > 0 ? ' *' : ''}`;
  trade.row(what, `${formatCount(usage.fuel)} fuel`, priceBytes, response.credit?.balance);
  return sealed;
}

async function computeUntilRefused(
  consumer: Consumer,
  client: Client,
  handler: CID,
  trade: Trade,
  signal: AbortSignal,
): Promise<SealedReceipt[]> {
  const receipts: SealedReceipt[] = [];
  for (;;) {
    try {
      receipts.push(await compute(consumer, client, handler, trade, signal));
    } catch (error) {
      if (!(error instanceof JobError) || error.overCredit === undefined) throw error;
      const { balance, limit, requestedBytes, wants } = error.overCredit;
      trade.row(
        'job: REFUSED, OVER_CREDIT',
        `may cost ${formatBytes(requestedBytes)}, limit ${formatBytes(limit)}`,
        undefined,
        balance,
      );
      console.log(`\n* with the one-time price of fetching and compiling the handler`);
      console.log(`The refusal names what the provider would take instead: ${wants.map(String).join(', ')}`);
      return receipts;
    }
  }
}

async function conclude(
  consumer: Consumer,
  client: Client,
  providerData: string,
  sealed: SealedReceipt,
  directory: string,
): Promise<void> {
  const ours = consumer.scoreLedger.getAccount(client.providerId);
  const theirs = readAccounts(join(providerData, 'ledger.sqlite')).find(({ peer }) => peer === client.consumer);
  if (theirs === undefined) throw new Error("The provider's ledger has no account of the consumer");
  console.log(
    formatTable(
      ['ledger of', 'work given', 'work taken', 'blocks given', 'blocks taken'],
      [
        ['provider', theirs.workSent, theirs.workRecv, theirs.blocksSent, theirs.blocksRecv],
        ['consumer', ours.workSent, ours.workRecv, ours.blocksSent, ours.blocksRecv],
      ],
    ),
  );
  const agree =
    theirs.workSent === ours.workRecv &&
    theirs.blocksRecv === ours.blocksSent &&
    theirs.workRecv === ours.workSent &&
    theirs.blocksSent === ours.blocksRecv;
  console.log(agree ? 'Both ledgers agree to the byte.' : 'THE LEDGERS DIFFER.');
  const engine = await openLocalEngine(blocksDirectory(join(directory, 'consumer')));
  const { verified, differs } = await verifyReceipt(sealed.bytes, { ...engine, timeoutMs: 60_000 }).finally(() =>
    engine.close(),
  );
  console.log(
    verified
      ? `The last receipt (${sealed.cid.toString()}) verifies: run again here, it gives the same output, fuel, memory and price.`
      : `THE RECEIPT DOES NOT VERIFY: ${differs.join(', ')}`,
  );
  if (!agree || !verified) process.exitCode = 1;
}

/** A file that the provider would like to hold; random, so that it is this demo's alone. */
async function makeFilm(): Promise<{ root: CID; blocks: Map<CID, Uint8Array> }> {
  const store = new MemoryBlockstore();
  let root: CID | undefined;
  for await (const entry of importer([{ content: randomBytes(FILM_BYTES) }], store, { rawLeaves: true, cidVersion: 1 }))
    root = entry.cid;
  const blocks = new Map<CID, Uint8Array>();
  for await (const { cid, bytes } of store.getAll()) {
    for await (const chunk of bytes) blocks.set(cid, chunk);
  }
  return { root: root!, blocks };
}

async function startProvider(directory: string, want: CID, signal: AbortSignal) {
  const data = join(directory, 'provider');
  const config = join(directory, 'workswap.toml');
  await writeFile(config, `[credit]\nnewcomerLineBytes = ${CREDIT_LINE_BYTES}\nrefreshBytesPerSecond = 0\n`);
  const args = [
    WORKSWAP,
    'provider',
    '--json',
    '--data',
    data,
    '--config',
    config,
    '--listen',
    '/ip4/127.0.0.1/tcp/0',
    '--want',
    want.toString(),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  const ready = Promise.withResolvers<Record<string, unknown>>();
  const fetched = Promise.withResolvers<Record<string, unknown>>();
  fetched.promise.catch(() => {});
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as Record<string, unknown>;
    if (event['event'] === 'ready') ready.resolve(event);
    if (event['event'] === 'fetched') fetched.resolve(event);
  });
  const ended = new Promise<void>((resolve) => {
    child.on('exit', (code) => {
      const error = new Error(`The provider ended with code ${code}`);
      ready.reject(error);
      fetched.reject(error);
      resolve();
    });
  });
  const { addrs } = await ready.promise;
  return {
    data,
    address: (addrs as string[])[0]!,
    fetched: fetched.promise,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
