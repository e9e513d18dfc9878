import type { ScoreLedger } from '../ledger/types.ts';
import { CID_V0_PREFIX, bytesKey, parsePrefix, parseWireCid } from './cid.ts';
import type { Fetcher } from './client/fetcher.ts';
import type { BitswapLimits } from './constants.ts';
import { InvalidMessageError } from './errors.ts';
import type { Hashers } from '../store/index.ts';
import type { Link } from './net/network.ts';
import type { Engine } from './server/engine.ts';
import { type DecodedWant, decodeMessage, type MessageVisitor } from './wire/decode.ts';
import { varintLength, writeVarint } from './wire/varint.ts';

export interface ReceiveStats {
  blocksReceived: number;
  bytesReceived: number;
  /** Blocks that we had asked for and that had come from elsewhere meanwhile. */
  duplicateBlocks: number;
  duplicateBytes: number;
  /** Blocks that nobody asked for. */
  junkBlocks: number;
  junkBytes: number;
}

export interface ReceiverInit {
  limits: BitswapLimits;
  hashers: Hashers;
  ledger: ScoreLedger;
  engine: Engine;
  fetcher: Fetcher;
}

/**
 * Takes messages apart, and decides for each block whether its sender is to be credited: only for bytes that we asked
 * this very peer for, or still need, that hash to what they claim to be, and once for each time we asked.
 */
export class Receiver implements MessageVisitor {
  readonly stats: ReceiveStats = {
    blocksReceived: 0,
    bytesReceived: 0,
    duplicateBlocks: 0,
    duplicateBytes: 0,
    junkBlocks: 0,
    junkBytes: 0,
  };
  readonly #init: ReceiverInit;
  #link!: Link;
  #frame!: Uint8Array;
  #owned = false;
  #invalid = 0;
  #credit = 0;

  constructor(init: ReceiverInit) {
    this.#init = init;
  }

  /** @throws InvalidMessageError when the message breaks a rule: its stream is to be reset. */
  receive(link: Link, frame: Uint8Array, owned: boolean): void {
    this.#link = link;
    this.#frame = frame;
    this.#owned = owned;
    this.#invalid = 0;
    this.#credit = 0;
    try {
      decodeMessage(frame, this);
    } finally {
      // Once for the whole message: thousands of small blocks are one entry in the ledger.
      if (this.#credit > 0) {
        this.#init.ledger.addToReceivedBytes(link.peer, this.#credit, 'blocks');
        this.#init.engine.credited(link);
      }
    }
  }

  wantlist(full: boolean): void {
    this.#init.engine.beginWantlist(this.#link, full);
  }

  want(entry: DecodedWant): void {
    if (!this.#init.engine.want(this.#link, entry)) this.#bad('a want that is not a CID we could serve');
  }

  presence(cid: Uint8Array, have: boolean): void {
    const parsed = parseWireCid(cid);
    if (parsed === undefined) {
      this.#bad('a presence that is not of a CID we could want');
      return;
    }
    const peer = this.#init.fetcher.peers.find(this.#link.key);
    if (peer === undefined) return;
    this.#init.fetcher.presence(peer, bytesKey(cid.subarray(parsed.multihashOffset)), have);
  }

  block(prefixBytes: Uint8Array | undefined, data: Uint8Array): void {
    const { fetcher, hashers, limits } = this.#init;
    const prefix = prefixBytes === undefined ? CID_V0_PREFIX : parsePrefix(prefixBytes);
    if (prefix === undefined) {
      this.#bad('a block whose prefix is not four varints');
      return;
    }
    const peer = fetcher.peers.find(this.#link.key);
    // Nothing of it can be wanted: not worth a hash.
    if (peer === undefined || (fetcher.wants.size === 0 && !peer.hasWithdrawn) || data.length > limits.blockBytesMax) {
      this.#junk(data.length);
      return;
    }
    const digest = hashers.digest(prefix.hashCode, prefix.digestLength, data);
    if (digest === undefined) {
      this.#junk(data.length);
      return;
    }
    const key = digestKey(prefix.hashCode, digest);
    const now = performance.now();
    const want = fetcher.wants.get(key);
    const asked = peer.answered(key) ?? peer.takeWithdrawn(key, now);
    const needed = want !== undefined && want.state !== 'storing';
    const small = data.length <= limits.replaceHaveWithBlockBytesMax;
    // A want-have may be answered with a small block; a large one counts only while we still need it.
    const wanted = asked === 'block' || (asked === 'have' && small) || (needed && want.told.has(peer));
    if (!wanted && !needed) {
      this.#junk(data.length);
      return;
    }
    if (wanted) {
      this.#credit += data.length;
      peer.delivered(data.length, now);
    }
    if (!needed) {
      this.stats.duplicateBlocks++;
      this.stats.duplicateBytes += data.length;
      return;
    }
    this.stats.blocksReceived++;
    this.stats.bytesReceived += data.length;
    fetcher.accept(want, this.#keep(data), peer);
  }

  /** The block in memory of its own, unless it is most of a buffer that nobody else uses. */
  #keep(data: Uint8Array): Uint8Array {
    return this.#owned && data.length * 2 > this.#frame.length ? data : Uint8Array.prototype.slice.call(data);
  }

  #bad(what: string): void {
    if (++this.#invalid > this.#init.limits.invalidEntriesMax) {
      throw new InvalidMessageError(`The message has too many invalid entries, the last one ${what}`);
    }
  }

  #junk(bytes: number): void {
    this.stats.junkBlocks++;
    this.stats.junkBytes += bytes;
    const peer = this.#init.fetcher.peers.find(this.#link.key);
    if (peer === undefined) return;
    peer.junkBytes += bytes;
    if (peer.junkBytes <= this.#init.limits.junkPerPeerBytes) return;
    peer.junkBytes = 0;
    throw new InvalidMessageError('The peer sends blocks that nobody asked it for');
  }
}

/** The multihash as a Map key, without building a multihash. */
function digestKey(code: number, digest: Uint8Array): string {
  const multihash = Buffer.allocUnsafe(varintLength(code) + varintLength(digest.length) + digest.length);
  const offset = writeVarint(multihash, writeVarint(multihash, 0, code), digest.length);
  multihash.set(digest, offset);
  return multihash.toString('latin1');
}
