import { decode, encode } from '@ipld/dag-cbor';
import type { IdentifyResult, Libp2p, Logger, PeerId, Stream } from '@libp2p/interface';
import { lpStream } from '@libp2p/utils';
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import type { AddressFilter } from './addresses.ts';
import { peerOf } from './contacts.ts';

export const PEERS_PROTOCOL = '/workswap/peers/1.0.0';

/** Peers in one answer, and what it may weigh. */
const TOLD_MAX = 16;
const ANSWER_BYTES_MAX = 4096;
/** Peers that are dialled because one peer named them: who answers must not become our whole neighbourhood. */
const DIALS_PER_ANSWER_MAX = 3;
/** With so many connections we look for no more. */
const CONNECTIONS_WANTED = 32;
const TIMEOUT_MS = 10_000;
const STREAMS_PER_CONNECTION_MAX = 1;

/**
 * Peers tell each other of peers: a stream is answered with one DAG-CBOR list of multiaddrs, each ending in /p2p/. We name
 * only those whom we reached ourselves at the address that we tell, never who came to us: consumers stay unnamed.
 */
export class PeerExchange {
  readonly #libp2p: Libp2p;
  readonly #filter: AddressFilter;
  readonly #log: Logger | undefined;
  readonly #stop = new AbortController();

  constructor(libp2p: Libp2p, filter: AddressFilter, log: Logger | undefined) {
    this.#libp2p = libp2p;
    this.#filter = filter;
    this.#log = log;
  }

  async start(): Promise<void> {
    await this.#libp2p.handle(PEERS_PROTOCOL, (stream, { remotePeer }) => void this.#tell(stream, remotePeer), {
      maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
    });
    this.#libp2p.addEventListener('peer:identify', this.#onIdentify);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('The node is stopping'));
    this.#libp2p.removeEventListener('peer:identify', this.#onIdentify);
    await this.#libp2p.unhandle(PEERS_PROTOCOL);
  }

  readonly #onIdentify = ({ detail: { peerId, protocols } }: CustomEvent<IdentifyResult>): void => {
    if (!protocols.includes(PEERS_PROTOCOL) || this.#libp2p.getConnections().length >= CONNECTIONS_WANTED) return;
    this.#ask(peerId).catch((error: unknown) => this.#log?.('%p names no peers - %e', peerId, error));
  };

  async #tell(stream: Stream, to: PeerId): Promise<void> {
    try {
      const signal = this.#deadline();
      await lpStream(stream).write(encode(this.#reached(to)), { signal });
      await stream.close({ signal });
    } catch (error) {
      stream.abort(error as Error);
    }
  }

  #reached(to: PeerId): Uint8Array[] {
    const addresses = this.#libp2p
      .getConnections()
      .filter(({ direction, remotePeer }) => direction === 'outbound' && !remotePeer.equals(to))
      .filter(({ remoteAddr, remotePeer }) => this.#filter(remoteAddr, remotePeer))
      .map(({ remoteAddr, remotePeer }) =>
        peerOf(remoteAddr) === undefined ? remoteAddr.encapsulate(`/p2p/${remotePeer.toString()}`) : remoteAddr,
      );
    return someOf(addresses, TOLD_MAX).map(({ bytes }) => bytes);
  }

  async #ask(peer: PeerId): Promise<void> {
    const signal = this.#deadline();
    const stream = await this.#libp2p.dialProtocol(peer, PEERS_PROTOCOL, { signal });
    let named: Multiaddr[];
    try {
      const answer = await lpStream(stream, { maxDataLength: ANSWER_BYTES_MAX }).read({ signal });
      named = decodeAnswer(answer.subarray());
    } finally {
      stream.abort(new Error('The answer is complete'));
    }
    const news = named.filter((address) => this.#filter(address) && !this.#isKnown(address));
    await Promise.allSettled(
      someOf(news, DIALS_PER_ANSWER_MAX).map((address) => this.#libp2p.dial(address, { signal: this.#deadline() })),
    );
  }

  #isKnown(address: Multiaddr): boolean {
    const peer = peerOf(address);
    if (peer === undefined || peer === this.#libp2p.peerId.toString()) return true;
    return this.#libp2p.getConnections().some(({ remotePeer }) => remotePeer.toString() === peer);
  }

  #deadline(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  }
}

/** @throws when it is not a list of addresses */
function decodeAnswer(bytes: Uint8Array): Multiaddr[] {
  const list: unknown = decode(bytes);
  if (!Array.isArray(list)) throw new Error('the answer is no list');
  return list.slice(0, TOLD_MAX).map((one: unknown) => {
    if (!(one instanceof Uint8Array)) throw new Error('the answer names something that is no address');
    return multiaddr(one);
  });
}

/** A few of them, each as likely as the other. */
function someOf<T>(all: readonly T[], countMax: number): T[] {
  return all
    .map((one) => ({ one, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, countMax)
    .map(({ one }) => one);
}
