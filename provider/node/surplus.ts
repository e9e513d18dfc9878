/** What decides about one connection. */
export interface Candidate<T> {
  connection: T;
  peer: string;
  direction: 'inbound' | 'outbound';
  openedMs: number;
  /** Never closed, however many there are: the operator's friends, and whom we have asked for work. */
  kept: boolean;
  /** Something that costs is under way with this peer. */
  busy: boolean;
  /** Whether the peer is useful now: the ledger's score. */
  score: number;
  /** Bytes that the peer gave us, ever. A peer that gave nothing is a stranger: identities are free, bytes are not. */
  received: number;
}

export interface Marks {
  /** With more connections than this some are closed. */
  high: number;
  /** As many are left, if enough may be closed. */
  low: number;
  /** This many strangers, the latest, may be young without being closed. */
  newcomersMax: number;
  /** This many strangers, the latest, may be busy without being closed. */
  busyStrangersMax: number;
  graceMs: number;
}

/** Two peers that dial each other have two connections. More than this number of one peer are closed before anything else. */
const CONNECTIONS_PER_PEER_MAX = 4;

/** Leaves room between the high-water mark and `connectionsMax`, where libp2p refuses whoever comes. */
export function marksFor(connectionsMax: number, graceMs: number): Marks {
  const high = Math.max(1, Math.min(connectionsMax - 1, Math.floor(connectionsMax * 0.9)));
  return {
    high,
    low: Math.max(1, Math.min(high - 1, Math.floor(connectionsMax * 0.8))),
    newcomersMax: Math.max(1, Math.floor(connectionsMax / 10)),
    busyStrangersMax: Math.floor(connectionsMax / 2),
    graceMs,
  };
}

/**
 * Which connections to close, in this order:
 *
 * 1. what one peer has beyond four connections;
 * 2. idle strangers that had their time, those with the lowest score and the oldest first;
 * 3. idle strangers within their time, the oldest first, but not the latest few;
 * 4. busy strangers, if they hold more than half of all places;
 * 5. idle peers that gave us something: those that had their time before the others, by score and by what they gave.
 *
 * The first four go down to the low-water mark, the last one only to the high-water mark: so a crowd of new identities
 * takes no place from a peer that traded, and many peers that traded leave room for a newcomer.
 */
export function surplus<T>(candidates: readonly Candidate<T>[], marks: Marks, nowMs: number): T[] {
  if (candidates.length <= marks.high) return [];
  const latestFirst = candidates.toSorted((a, b) => b.openedMs - a.openedMs);
  const extra: Candidate<T>[] = [];
  const rest: Candidate<T>[] = [];
  const counts = new Map<string, number>();
  for (const one of latestFirst.toReversed()) {
    const count = (counts.get(one.peer) ?? 0) + 1;
    counts.set(one.peer, count);
    (count > CONNECTIONS_PER_PEER_MAX ? extra : rest).push(one);
  }
  const isYoung = ({ openedMs }: Candidate<T>): boolean => nowMs - openedMs < marks.graceMs;
  const closable = rest.filter(({ kept }) => !kept);
  const strangers = closable.filter(({ received }) => received === 0);
  const idle = strangers.filter(({ busy }) => !busy);
  const young = idle.filter(isYoung);
  const busy = strangers.filter((one) => one.busy);
  const traded = closable.filter((one) => one.received > 0 && !one.busy);
  const early = [
    ...extra,
    ...idle.filter((one) => !isYoung(one)).sort(byWorth),
    ...young.slice(0, Math.max(0, young.length - marks.newcomersMax)),
    ...busy.slice(0, Math.max(0, busy.length - marks.busyStrangersMax)),
  ].slice(0, candidates.length - marks.low);
  const over = candidates.length - early.length - marks.high;
  const late = [...traded.filter((one) => !isYoung(one)).sort(byWorth), ...traded.filter(isYoung).sort(byWorth)];
  return [...early, ...late.slice(0, Math.max(0, over))].map(({ connection }) => connection);
}

/** Who is closed first comes first. Whom we dialled ourselves is worth more than whoever came. */
function byWorth<T>(a: Candidate<T>, b: Candidate<T>): number {
  if (a.score !== b.score) return a.score - b.score;
  if (a.received !== b.received) return a.received - b.received;
  if (a.direction !== b.direction) return a.direction === 'inbound' ? -1 : 1;
  return a.openedMs - b.openedMs;
}
