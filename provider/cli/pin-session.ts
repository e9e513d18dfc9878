import type { PeerId } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { peerIdFromString } from '@libp2p/peer-id';
import { UnreachableError } from '../../sdk/client/index.ts';
import { cidText, openStorageReceipt } from '../../sdk/protocol/index.ts';
import { createConsumer, type Consumer } from '../consumer.ts';
import { loadMaintainerKey, readLocalProvider } from '../maintainer/index.ts';
import { askAboutPins, PinError, type AnswerTo, type PinView, type Question } from '../pinning/index.ts';
import { UsageError } from './errors.ts';
import type { PinFlags } from './pin-flags.ts';
import { interruptSignal, openConsumer } from './session.ts';

/** Asks one provider. */
export type AskHere = <Ask extends Question['ask']>(
  question: Extract<Question, { ask: Ask }>,
) => Promise<AnswerTo<Ask>>;

/** Asks the provider that runs in `--data` as its own maintainer, or the one at `--at` as the consumer of `--home`. */
export async function withPins<T>(
  { data, at, home }: Pick<PinFlags, 'data' | 'at' | 'home'>,
  use: (session: { ask: AskHere; signal: AbortSignal; book: (pin: PinView) => Promise<void> }) => Promise<T>,
): Promise<T> {
  const signal = interruptSignal();
  const addrs = at === undefined ? await localAddrs(data) : [at];
  const node =
    at === undefined
      ? await createConsumer({ privateKey: await loadMaintainerKey(data) })
      : await openConsumer({ home });
  try {
    const peer = await dial(node, addrs, signal);
    return await use({
      ask: (question) => askAboutPins(node.libp2p, peer, question, signal),
      book: (pin) => bookReceipt(node, peer, pin),
      signal,
    });
  } finally {
    await node.stop();
  }
}

/** What the provider has charged is counted in our ledger too, once for each receipt. */
async function bookReceipt(
  { libp2p, scoreLedger }: Consumer,
  peer: PeerId,
  { id, receipt: text }: PinView,
): Promise<void> {
  if (text === undefined) return;
  const { cid, bytes, receipt } = await openStorageReceipt(Buffer.from(text, 'base64'));
  const { provider, consumer, pin, priceBytes } = receipt;
  if (provider !== peer.toString() || consumer !== libp2p.peerId.toString() || pin !== id) {
    throw new PinError('BAD_ANSWER', 'The storage receipt that the provider shows is of another pin.');
  }
  await scoreLedger.receiveWork(peer, priceBytes, { cid: cidText(cid), bytes });
}

async function localAddrs(data: string): Promise<string[]> {
  const local = await readLocalProvider(data);
  if (local !== undefined) return local.addrs;
  throw new UnreachableError(
    `No provider runs in ${data}. Start one with "workswap provider --data ${data}", or name another with --at ADDRESS.`,
  );
}

async function dial({ libp2p }: Consumer, texts: string[], signal: AbortSignal): Promise<PeerId> {
  const addrs = texts.map((text) => {
    try {
      return multiaddr(text);
    } catch {
      throw new UsageError(`--at takes a multiaddr ending in /p2p/PEER-ID, not ${text}`);
    }
  });
  const id = addrs[0]?.getComponents().findLast(({ name }) => name === 'p2p')?.value;
  if (id === undefined) throw new UsageError('--at takes a multiaddr ending in /p2p/PEER-ID');
  try {
    await libp2p.dial(addrs, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new UnreachableError(`No provider answers at ${texts.join(', ')}: ${(error as Error).message}`, error);
  }
  return peerIdFromString(id);
}
