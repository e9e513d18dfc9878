import type { Libp2p, Logger, PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Multiaddr } from '@multiformats/multiaddr';
import { pause } from './pause.ts';

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 300_000;
const DIAL_TIMEOUT_MS = 10_000;

/**
 * Keeps us connected to the peers that the configuration names, the way into a network. @libp2p/bootstrap tries each once
 * and never again, so a node that starts before its network would stay alone.
 */
export class Contacts {
  readonly #libp2p: Libp2p;
  readonly #addresses = new Map<string, Multiaddr[]>();
  readonly #stop = new AbortController();
  readonly #log: Logger | undefined;

  constructor(libp2p: Libp2p, addresses: readonly Multiaddr[], log: Logger | undefined) {
    this.#libp2p = libp2p;
    this.#log = log;
    for (const address of addresses) {
      const peer = peerOf(address);
      if (peer === undefined || peer === libp2p.peerId.toString()) continue;
      this.#addresses.set(peer, [...(this.#addresses.get(peer) ?? []), address]);
    }
  }

  start(): void {
    for (const [peer, addresses] of this.#addresses) {
      this.#keep(peerIdFromString(peer), addresses).catch((error: unknown) => {
        this.#log?.('gave up keeping the connection to %s - %e', peer, error);
      });
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  async #keep(peer: PeerId, addresses: Multiaddr[]): Promise<void> {
    const { signal } = this.#stop;
    let retryMs = RETRY_MS_MIN;
    while (!signal.aborted) {
      try {
        await this.#libp2p.dial(addresses, { signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]) });
        retryMs = RETRY_MS_MIN;
        await this.#disconnected(peer);
      } catch (error) {
        if (!signal.aborted) this.#log?.('cannot reach %p - %e', peer, error);
      }
      await pause(retryMs, signal);
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
    }
  }

  #disconnected(peer: PeerId): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { signal } = this.#stop;
    const onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
      if (detail.equals(peer)) resolve();
    };
    this.#libp2p.addEventListener('peer:disconnect', onDisconnect);
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted || this.#libp2p.getConnections(peer).length === 0) resolve();
    return promise.finally(() => this.#libp2p.removeEventListener('peer:disconnect', onDisconnect));
  }
}

/** The peer at the end of an address; undefined when it names none. */
export function peerOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(({ name }) => name === 'p2p')?.value;
}
