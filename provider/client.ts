import type { PeerId } from '@libp2p/interface';
import type { Client } from '../sdk/client/index.ts';
import { createConsumer } from './consumer.ts';
import type { Consumer, ConsumerOptions } from './consumer.ts';
import { verifyReceipt } from './jobs/index.ts';
import type { Verification } from './jobs/index.ts';
import { openLocalEngine } from './local-engine.ts';

/**
 * Workswap for apps that use services: `workswap/client`.
 *
 * ```ts
 * import { connect, rawCid, verify } from 'workswap/client';
 *
 * const client = await connect('/ip4/127.0.0.1/tcp/4771/p2p/12D3Koo...');
 * const handler = rawCid(wasm);
 * await client.node.blocks.put(handler, wasm);
 * const task = client.prepare(handler, { path: '/?name=Ada' }, { priceMaxBytes: 1_000_000 });
 * const response = await client.run(task);
 * for await (const chunk of response) process.stdout.write(chunk);
 * const receipt = await response.receipt;
 * await client.node.keepEvidence(client, task, receipt);
 * const { verified } = await verify(receipt, client.node);
 * await client.close();
 * ```
 */
export * from '../sdk/client/index.ts';
export { createConsumer } from './consumer.ts';
export type { Consumer, ConsumerOptions } from './consumer.ts';
export type { Verification } from './jobs/index.ts';
export { WorkswapError, rawCid } from '../sdk/protocol/index.ts';
export type { Quote, Receipt, SealedReceipt, TaskLimits, Usage } from '../sdk/protocol/index.ts';

/** A client with a node of its own, which ends with it. */
export type ConnectedClient = Client & { readonly node: Consumer };

/**
 * Connects to a provider from a new node. Without `dataDir` its identity, ledger and blocks are in memory: every start is
 * a stranger with a newcomer's credit.
 *
 * @throws UnreachableError when none of the addresses answers
 */
export async function connect(
  addrs: PeerId | string | string[],
  { signal, ...options }: ConsumerOptions & { signal?: AbortSignal } = {},
): Promise<ConnectedClient> {
  const consumer = await createConsumer(options);
  try {
    const client = await consumer.connect(addrs, signal === undefined ? {} : { signal });
    // Stopping the consumer closes its clients, this one too.
    const closeStream = client.close.bind(client);
    let stopped: Promise<void> | undefined;
    const close = (): Promise<void> => {
      if (stopped !== undefined) return closeStream();
      const { promise, resolve } = Promise.withResolvers<void>();
      stopped = promise;
      resolve(consumer.stop());
      return promise;
    };
    return Object.assign(client, { node: consumer, close });
  } catch (error) {
    await consumer.stop();
    throw error;
  }
}

const VERIFY_TIMEOUT_MS = 60_000;

/**
 * Runs the task of a receipt again, here, and compares output, fuel, memory and price with what the provider signed.
 * The task and its input are the consumer's own knowledge: `consumer.keepEvidence()` keeps them after a call. Other blocks
 * that it does not hold are fetched from the peers it is connected to.
 *
 * @throws DocumentError when the receipt or one of its documents is malformed or not signed by the provider
 */
export async function verify(
  receipt: Uint8Array | { bytes: Uint8Array },
  consumer: Pick<Consumer, 'bitswap'>,
  { timeoutMs = VERIFY_TIMEOUT_MS }: { timeoutMs?: number } = {},
): Promise<Verification> {
  const engine = await openLocalEngine(undefined, new Map(), (cid, options) => consumer.bitswap.get(cid, options));
  try {
    const bytes = receipt instanceof Uint8Array ? receipt : receipt.bytes;
    const { getBlock, modules, sandbox } = engine;
    return await verifyReceipt(bytes, { getBlock, modules, sandbox, timeoutMs });
  } finally {
    await engine.close();
  }
}
