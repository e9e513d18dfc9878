import type { PeerId } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import type { Asker } from './asker.ts';
import type { Fetcher } from './fetcher.ts';
import type { PeerClient } from './peer-client.ts';
import type { Want } from './want.ts';

/** What users of a session see. */
export interface Session {
  /** Fetches one block, from the peers that have proven themselves in this session first. */
  get(cid: CID, options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** Sees to it that a block is in the store, without handing it out: its memory is free as soon as it is written. Gives its size. */
  fetch(cid: CID, options?: { signal?: AbortSignal }): Promise<number>;
  /** Fetches many blocks and hands them out as they come. */
  getMany(
    cids: Iterable<CID> | AsyncIterable<CID>,
    options?: { signal?: AbortSignal },
  ): AsyncGenerator<{ cid: CID; bytes: Uint8Array }>;
  /** A peer that is likely to have what this session wants. */
  addPeer(peer: PeerId): void;
  /** Ends every get() that is still waiting. */
  close(): void;
}

/** Blocks that getMany asks for ahead of its reader. */
const AHEAD_MAX = 1024;
/** Wants that are asked for from several peers while the session knows no peer that has any of its blocks. */
const PROBING_MAX = 16;
/** Blocks that a peer may refuse one after the other before it is asked like a stranger. */
const REFUSALS_MAX = 32;
/** Wants that are looked through for one that a free peer has not yet refused. */
const LOOKAHEAD_MAX = 64;
const COMPACT_MIN = 1024;
/** What a peer that must be dialled first is behind a connected one. */
const DIAL_MS = 1_000;

/**
 * A group of blocks that are likely to be at the same peers. Peers given by the caller, and those that have had blocks
 * of this session, are asked for blocks at once, each block from one of them; others are only asked whether they have
 * it. So a block rarely comes twice, and the first one comes in one round trip when the first guess is right.
 */
export class FetchSession implements Session {
  readonly #fetcher: Fetcher;
  readonly #given = new Map<string, PeerId>();
  /** Peers that have had a block of this session. */
  readonly #proven = new Set<string>();
  /** Blocks that a peer has refused since it last had one. */
  readonly #refusals = new Map<string, number>();
  #again: Want[] = [];
  #pending: Want[] = [];
  #head = 0;
  /** Wants of this session for which nobody is asked but several peers are probed. */
  probing = 0;
  closed = false;

  constructor(fetcher: Fetcher, peers: readonly PeerId[]) {
    this.#fetcher = fetcher;
    for (const peer of peers) this.#given.set(peer.toString(), peer);
  }

  get(cid: CID, options: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    return this.#fetcher.get(cid, this, options.signal);
  }

  fetch(cid: CID, options: { signal?: AbortSignal } = {}): Promise<number> {
    return this.#fetcher.fetch(cid, this, options.signal);
  }

  async *getMany(
    cids: Iterable<CID> | AsyncIterable<CID>,
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<{ cid: CID; bytes: Uint8Array }> {
    const done: { cid: CID; bytes: Uint8Array }[] = [];
    let failure: { error: unknown } | undefined;
    let running = 0;
    let wake = (): void => {};
    const start = (cid: CID): void => {
      running++;
      this.get(cid, options)
        .then((bytes) => void done.push({ cid, bytes }))
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => {
          running--;
          wake();
        });
    };
    const wait = async (): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      if (done.length === 0 && failure === undefined) await promise;
    };
    for await (const cid of cids) {
      start(cid);
      while (done.length > 0) yield done.shift() as { cid: CID; bytes: Uint8Array };
      while (running + done.length >= AHEAD_MAX && failure === undefined) {
        await wait();
        while (done.length > 0) yield done.shift() as { cid: CID; bytes: Uint8Array };
      }
      if (failure !== undefined) throw failure.error;
    }
    while (running > 0 || done.length > 0) {
      while (done.length > 0) yield done.shift() as { cid: CID; bytes: Uint8Array };
      if (failure !== undefined) throw failure.error;
      if (running > 0) await wait();
    }
    if (failure !== undefined) throw failure.error;
  }

  addPeer(peer: PeerId): void {
    this.#given.set(peer.toString(), peer);
    this.#fetcher.peerJoined(this, peer);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#fetcher.closeSession(this);
  }

  prove(peer: PeerClient): void {
    this.#proven.add(peer.key);
    this.#refusals.delete(peer.key);
  }

  /** The peer does not have a block of this session. */
  refuse(peer: PeerClient): void {
    this.#refusals.set(peer.key, (this.#refusals.get(peer.key) ?? 0) + 1);
  }

  /** Puts a want in line; one that a peer has refused already goes before those that nobody was asked for. */
  enqueue(want: Want): void {
    want.state = 'pending';
    if (want.tried.size > 0) this.#again.push(want);
    else this.#pending.push(want);
  }

  /** Gives pending wants to peers until no peer has room. */
  schedule(now: number, asker: Asker): void {
    if (this.#head >= this.#pending.length && this.#again.length === 0) return;
    const trusted = this.trustedPeers().filter((peer) => peer.avoidUntilMs <= now);
    const again = this.#again;
    this.#again = [];
    for (const want of again) {
      if (this.#isMine(want) && !this.#assign(want, trusted, now, asker)) this.#again.push(want);
    }
    const skipped: Want[] = [];
    while (this.#head < this.#pending.length && skipped.length < LOOKAHEAD_MAX) {
      if (trusted.length > 0 && !trusted.some((peer) => peer.hasRoom)) break;
      const want = this.#pending[this.#head++] as Want;
      if (this.#isMine(want) && !this.#assign(want, trusted, now, asker)) skipped.push(want);
    }
    // What was passed over goes back to where it stood.
    this.#head -= skipped.length;
    for (const [index, want] of skipped.entries()) this.#pending[this.#head + index] = want;
    if (this.#head > COMPACT_MIN && this.#head * 2 > this.#pending.length) {
      this.#pending.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** False when the want must wait for room. */
  #assign(want: Want, trusted: PeerClient[], now: number, asker: Asker): boolean {
    let best: PeerClient | undefined;
    let bestMs = Number.POSITIVE_INFINITY;
    let mustWait = false;
    for (const peer of trusted) {
      if (want.tried.has(peer.key)) continue;
      const expectedMs = peer.expectedMs + (this.#fetcher.peers.connected().has(peer) ? 0 : DIAL_MS);
      if (!peer.hasRoom) {
        mustWait = true;
      } else if (expectedMs < bestMs) {
        best = peer;
        bestMs = expectedMs;
      }
    }
    if (best !== undefined) {
      asker.askBlock(want, best, now);
      return true;
    }
    if (mustWait) return false;
    if (trusted.length === 0 && !want.probing && this.probing >= PROBING_MAX) return false;
    return asker.probe(want, now);
  }

  #isMine(want: Want): boolean {
    return want.state === 'pending' && want.owner === this;
  }

  /** The given and the proven. Who only ever refuses is asked when all of them have, as strangers are. */
  trustedPeers(): PeerClient[] {
    const peers = this.#namedPeers();
    const trusted = peers.filter(({ key }) => (this.#refusals.get(key) ?? 0) < REFUSALS_MAX);
    return trusted.length > 0 ? trusted : peers;
  }

  #namedPeers(): PeerClient[] {
    const trusted: PeerClient[] = [];
    for (const id of this.#given.values()) {
      trusted.push(this.#fetcher.peers.get(id));
    }
    for (const key of this.#proven) {
      if (this.#given.has(key)) continue;
      const peer = this.#fetcher.peers.find(key);
      if (peer !== undefined) trusted.push(peer);
    }
    return trusted;
  }
}
