import type { Connection, Libp2p, PeerId } from '@libp2p/interface';
import { marksFor, surplus, type Candidate, type Marks } from './surplus.ts';

/** How long a new connection may be idle: enough to ask for something. Kubo's default. */
export const CONNECTION_GRACE_MS = 20_000;
/** Places are looked at again also when nobody comes: whom libp2p refuses is not announced. */
const SWEEP_MS = 5_000;

/** What the trimmer asks about a peer each time. */
export interface PeerStanding {
  /** Whether something that costs is under way: a job, a block. */
  busy(peer: PeerId): boolean;
  /** Bytes that the peer gave us, ever. */
  received(peer: PeerId): number;
}

export interface TrimmerInit {
  libp2p: Libp2p;
  connectionsMax: number;
  /** Whether a peer is never disconnected. Asked each time: the operator may change his mind. */
  isFriend(peer: string): boolean;
  standing: PeerStanding;
  graceMs?: number;
}

/**
 * Keeps places free for whoever comes next. libp2p refuses everybody at its maximum, and beyond it closes only
 * connections without streams: each Bitswap peer has some, so that idle ones would keep their places for ever.
 */
export class Trimmer {
  readonly #init: TrimmerInit;
  readonly #marks: Marks;
  readonly #scores = new Map<string, number>();
  #sweep: NodeJS.Timeout | undefined;

  constructor(init: TrimmerInit) {
    this.#init = init;
    this.#marks = marksFor(init.connectionsMax, init.graceMs ?? CONNECTION_GRACE_MS);
  }

  start(): void {
    const { libp2p } = this.#init;
    libp2p.addEventListener('connection:open', this.#trim);
    libp2p.addEventListener('peer:disconnect', this.#forget);
    this.#sweep ??= setInterval(this.#trim, SWEEP_MS).unref();
  }

  stop(): void {
    const { libp2p } = this.#init;
    libp2p.removeEventListener('connection:open', this.#trim);
    libp2p.removeEventListener('peer:disconnect', this.#forget);
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    this.#scores.clear();
  }

  /** Of connected peers only; go-bitswap tags them with it in the same way. */
  scored(peer: PeerId, score: number): void {
    const { libp2p } = this.#init;
    if (libp2p.getConnections(peer).length > 0) this.#scores.set(peer.toString(), score);
    libp2p.peerStore.merge(peer, { tags: { 'workswap-score': { value: score } } }).catch(() => {
      // The tag is for others that look at the peer store; a peer that was forgotten meanwhile needs none.
    });
  }

  readonly #trim = (): void => {
    const open = this.#init.libp2p.getConnections().filter(({ status }) => status === 'open');
    if (open.length <= this.#marks.high) return;
    const reason = new Error('There are too many connections, and this peer is idle');
    const candidates = open.map((connection) => this.#judge(connection));
    // Not closed politely: a peer could draw that out.
    for (const connection of surplus(candidates, this.#marks, Date.now())) connection.abort(reason);
  };

  #judge(connection: Connection): Candidate<Connection> {
    const { standing } = this.#init;
    const { remotePeer, direction, timeline } = connection;
    const peer = remotePeer.toString();
    return {
      connection,
      peer,
      direction,
      openedMs: timeline.open,
      kept: this.#init.isFriend(peer) || isOurs(connection),
      busy: standing.busy(remotePeer),
      score: this.#scores.get(peer) ?? 0,
      received: standing.received(remotePeer),
    };
  }

  readonly #forget = ({ detail: peer }: CustomEvent<PeerId>): void => void this.#scores.delete(peer.toString());
}

/** We asked this peer for something of Workswap, such as a job. */
function isOurs({ streams }: Connection): boolean {
  return streams.some(({ direction, protocol }) => direction === 'outbound' && protocol.startsWith('/workswap/'));
}
