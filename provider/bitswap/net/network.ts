import type { Connection, Libp2p, Logger, PeerId, Stream } from '@libp2p/interface';
import { BITSWAP_120, BITSWAP_110, type BitswapLimits } from '../constants.ts';
import { LimitedBudget } from '../wire/frames.ts';
import { Inbound } from './inbound.ts';
import { Outbound } from './outbound.ts';

/** What the other rooms need to know of a protocol version. */
export interface Dialect {
  /** HAVE, DONT_HAVE and want-have exist (1.2). */
  presences: boolean;
  /** Blocks travel with a CID prefix and CIDv1 exists (1.1 and later). */
  prefixes: boolean;
}

export function dialectOf(protocol: string): Dialect {
  return { presences: protocol === BITSWAP_120, prefixes: protocol === BITSWAP_120 || protocol === BITSWAP_110 };
}

/** One peer as the network sees it. Lives as long as the peer is connected. */
export interface Link {
  readonly peer: PeerId;
  readonly key: string;
  /** Wants and cancels. Apart from the blocks, so that a want never waits behind a megabyte of them. */
  readonly control: Outbound;
  /** Blocks and presences. */
  readonly data: Outbound;
  readonly inbound: Inbound;
}

export interface NetworkHandlers {
  /** A whole message; `owned` says that views of it may be kept. Throwing resets the stream it came on. */
  onMessage(link: Link, frame: Uint8Array, owned: boolean): void;
  /** A connected peer turned out to speak Bitswap. May come more than once. */
  onPeer(peer: PeerId): void;
  onConnected(peer: PeerId): void;
  onPeerGone(peer: PeerId): void;
  /** What was written last on the control stream may be lost. */
  onControlLost(link: Link): void;
}

export interface NetworkInit {
  libp2p: Libp2p;
  limits: BitswapLimits;
  protocols: string[];
  handlers: NetworkHandlers;
  log: Logger | undefined;
}

const OPEN_TIMEOUT_MS = 10_000;

/** Bitswap's door to libp2p: streams in, streams out, peers that come and go. */
export class Network {
  readonly #init: NetworkInit;
  readonly #links = new Map<string, Link>();
  readonly #partial: LimitedBudget;
  #topologies: string[] = [];
  #sweep: ReturnType<typeof setInterval> | undefined;

  constructor(init: NetworkInit) {
    this.#init = init;
    this.#partial = new LimitedBudget(init.limits.partialTotalBytes);
  }

  async start(): Promise<void> {
    const { libp2p, limits, protocols, handlers } = this.#init;
    libp2p.addEventListener('peer:connect', this.#onConnect);
    libp2p.addEventListener('peer:disconnect', this.#onDisconnect);
    for (const peer of libp2p.getPeers()) handlers.onConnected(peer);
    await libp2p.handle(protocols, this.#onStream, {
      maxInboundStreams: limits.inboundStreamsMax,
      maxOutboundStreams: limits.inboundStreamsMax,
    });
    for (const protocol of protocols) {
      const topology = { onConnect: (peer: PeerId) => this.#onPeer(peer) };
      this.#topologies.push(await libp2p.register(protocol, topology));
    }
    for (const peer of libp2p.getPeers()) {
      const known = await libp2p.peerStore.get(peer).catch(() => undefined);
      if (known?.protocols.some((protocol) => protocols.includes(protocol)) === true) this.#onPeer(peer);
    }
    const sweepMs = Math.max(1_000, limits.receiveTimeoutMs / 10);
    this.#sweep = setInterval(() => {
      for (const { inbound } of this.#links.values()) inbound.expire(performance.now() - limits.receiveTimeoutMs);
    }, sweepMs);
    this.#sweep.unref();
  }

  async stop(): Promise<void> {
    const { libp2p, protocols } = this.#init;
    clearInterval(this.#sweep);
    libp2p.removeEventListener('peer:connect', this.#onConnect);
    libp2p.removeEventListener('peer:disconnect', this.#onDisconnect);
    for (const id of this.#topologies.splice(0)) libp2p.unregister(id);
    await libp2p.unhandle(protocols);
    for (const link of this.#links.values()) this.#dropLink(link, new Error('Bitswap is stopping'));
  }

  links(): Iterable<Link> {
    return this.#links.values();
  }

  find(peer: PeerId): Link | undefined {
    return this.#links.get(peer.toString());
  }

  link(peer: PeerId): Link {
    const key = peer.toString();
    let link = this.#links.get(key);
    if (link === undefined) {
      link = this.#createLink(peer, key);
      this.#links.set(key, link);
    }
    return link;
  }

  /** Drops the link to a peer that is not connected. */
  forget(peer: PeerId): void {
    const link = this.find(peer);
    if (link === undefined || this.#init.libp2p.getConnections(peer).length > 0) return;
    this.#dropLink(link, new Error('The peer never connected'));
  }

  #createLink(peer: PeerId, key: string): Link {
    const { limits, handlers } = this.#init;
    const open = async (signal: AbortSignal): Promise<Stream> => this.#openStream(peer, signal);
    const outbound = (onLost?: () => void): Outbound =>
      new Outbound({
        open,
        openTimeoutMs: OPEN_TIMEOUT_MS,
        sendTimeoutMs: limits.sendTimeoutMs,
        ...(onLost === undefined ? {} : { onLost }),
      });
    const link: Link = {
      peer,
      key,
      control: outbound(() => handlers.onControlLost(link)),
      data: outbound(),
      inbound: new Inbound(
        new LimitedBudget(limits.partialPerPeerBytes, this.#partial),
        limits.messageBytesMax,
        (frame, owned) => handlers.onMessage(link, frame, owned),
      ),
    };
    return link;
  }

  async #openStream(peer: PeerId, signal: AbortSignal): Promise<Stream> {
    const { libp2p, limits, protocols } = this.#init;
    const options = { signal, maxOutboundStreams: limits.inboundStreamsMax };
    const connection = libp2p.getConnections(peer).find(({ status, limits }) => status === 'open' && limits == null);
    if (connection !== undefined) return connection.newStream(protocols, options);
    return libp2p.dialProtocol(peer, protocols, options);
  }

  readonly #onStream = (stream: Stream, connection: Connection): void => {
    const link = this.link(connection.remotePeer);
    if (link.inbound.streams >= this.#init.limits.inboundStreamsMax) {
      stream.abort(new Error('Too many Bitswap streams'));
      return;
    }
    link.inbound.read(stream);
    this.#onPeer(connection.remotePeer);
  };

  #onPeer(peer: PeerId): void {
    // Opened ahead of need: the first want then takes one round trip instead of three, and we know the peer's version.
    this.link(peer)
      .control.warm()
      .catch(() => undefined);
    this.#init.handlers.onPeer(peer);
  }

  readonly #onConnect = ({ detail: peer }: CustomEvent<PeerId>): void => this.#init.handlers.onConnected(peer);

  readonly #onDisconnect = ({ detail: peer }: CustomEvent<PeerId>): void => {
    const link = this.#links.get(peer.toString());
    if (link !== undefined) this.#dropLink(link, new Error('The peer disconnected'));
    this.#init.handlers.onPeerGone(peer);
  };

  #dropLink(link: Link, reason: Error): void {
    this.#links.delete(link.key);
    link.control.close(reason);
    link.data.close(reason);
    link.inbound.abort(reason);
  }
}
