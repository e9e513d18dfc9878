import { setTimeout } from 'node:timers/promises';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { createConsumer } from '../../provider/consumer.ts';
import { loadMaintainerKey } from '../../provider/maintainer/index.ts';
import { askAboutPins, type AnswerTo, type Question } from '../../provider/pinning/index.ts';

/** Long enough for what a provider answers one peer a second, also for minutes. */
const POLL_MS = 100;
const never = new AbortController().signal;

/** The owner of a provider in another process, as `workswap pin` is. */
export async function openOwner(data: string, addrs: string[]) {
  const node = await createConsumer({ privateKey: await loadMaintainerKey(data) });
  await node.libp2p.dial(addrs.map((addr) => multiaddr(addr)));
  const peer = peerIdFromString(addrs[0]!.split('/p2p/')[1]!);
  const ask = <Ask extends Question['ask']>(question: Extract<Question, { ask: Ask }>): Promise<AnswerTo<Ask>> =>
    askAboutPins<Ask>(node.libp2p, peer, question, never);
  return {
    ask,
    /** Pins, and gives the milliseconds until all of it is there. */
    async pin(cid: string, origins: string[]): Promise<number> {
      const startMs = performance.now();
      let { pin } = await ask({ ask: 'add', pin: { cid, origins, meta: {} } });
      while (pin.status !== 'pinned') {
        if (pin.status === 'failed') throw new Error(`${pin.error?.code}: ${pin.error?.message}`);
        await setTimeout(POLL_MS);
        ({ pin } = await ask({ ask: 'get', id: pin.id }));
      }
      return performance.now() - startMs;
    },
    stop: () => node.stop(),
  };
}
