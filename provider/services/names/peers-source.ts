import type { Libp2p, PeerId } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { ServicesLimits } from '../limits.ts';
import { ask, decodeResolveAnswer } from '../net/index.ts';
import type { NameAnswer, NameSource } from './resolver.ts';

/** Asks the peers that we are connected to; before that the contacts of the configuration, should there be none. */
export class PeersSource implements NameSource {
  readonly #libp2p: Libp2p;
  readonly #contacts: readonly string[];
  readonly #limits: Pick<ServicesLimits, 'peersAskedMax' | 'askTimeoutMs'>;

  constructor(libp2p: Libp2p, contacts: readonly string[], limits: ServicesLimits) {
    this.#libp2p = libp2p;
    this.#contacts = contacts;
    this.#limits = limits;
  }

  async find(name: string, signal: AbortSignal, except?: PeerId): Promise<NameAnswer[]> {
    const { peersAskedMax, askTimeoutMs } = this.#limits;
    if (this.#libp2p.getPeers().length === 0) await this.#dialContacts(signal);
    const others = this.#libp2p.getPeers().filter((peer) => except === undefined || !peer.equals(except));
    const peers = others.slice(0, peersAskedMax);
    const question = { ask: 'resolve', name } as const;
    const answer = (peer: PeerId): Promise<NameAnswer> =>
      ask(this.#libp2p, peer, question, decodeResolveAnswer, { timeoutMs: askTimeoutMs, signal });
    const settled = await Promise.allSettled(peers.map(answer));
    return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }

  async #dialContacts(signal: AbortSignal): Promise<void> {
    const { peersAskedMax } = this.#limits;
    const dialling = this.#contacts
      .slice(0, peersAskedMax)
      .map((address) => this.#libp2p.dial(multiaddr(address), { signal }));
    await Promise.allSettled(dialling);
  }
}
