import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import {
  ByteCache,
  cidOfKey,
  decode,
  HotCache,
  nodeMemoryBytes,
  type FastBlockstore,
  type FoundFile,
  type GetBlock,
  type Key,
  type NewNodes,
  type Node,
  type NodeStore,
  type SortedLinks,
} from '../../store/index.ts';
import { DirectoryError } from '../../store/index.ts';
import type { StateLimits } from './limits.ts';

export interface StateBlocksInit {
  blockstore: Pick<FastBlockstore, 'read'>;
  getBlock: GetBlock;
  limits: StateLimits;
}

/** A link in a listing, and its share of the nodes that it keeps alive. */
const LISTED_BYTES = 80;
/** Nodes of the database are there at once: after so many of one computation others get their turn. */
const LOADED_AT_ONCE = 8;
/** What is kept of a path besides itself. */
const PATH_BYTES = 300;

/**
 * Blocks of states wherever they are: on their way to the disk, in the block store, at peers. Decoded nodes, files and listings are kept by content, so what two roots share is kept once, and a root needs no cache of its own.
 */
export class StateBlocks implements NodeStore {
  readonly #init: StateBlocksInit;
  readonly #nodes: HotCache<Node>;
  readonly #files: HotCache<Uint8Array>;
  readonly #listings: ByteCache<SortedLinks>;
  readonly #paths: HotCache<FoundFile>;
  /** Blocks of commits that are not durable yet, and how many commits wait with them. */
  readonly #unwritten = new Map<Key, { bytes: Uint8Array; commits: number }>();
  #loaded = 0;

  constructor(init: StateBlocksInit) {
    this.#init = init;
    this.#nodes = new HotCache(init.limits.nodesBytesMax);
    this.#files = new HotCache(init.limits.filesBytesMax);
    this.#paths = new HotCache(init.limits.pathsBytesMax);
    this.#listings = new ByteCache(init.limits.listingsBytesMax);
  }

  peek(key: Key): Node | undefined {
    return this.#nodes.get(key);
  }

  async load(key: Key, signal: AbortSignal | undefined): Promise<Node> {
    const node = decode(key, await this.loadBytes(key, signal));
    this.#keepNode(key, node);
    if (++this.#loaded % LOADED_AT_ONCE === 0) await setImmediate();
    return node;
  }

  listing(key: Key): SortedLinks | undefined {
    return this.#listings.get(key);
  }

  keepListing(key: Key, listing: SortedLinks): void {
    this.#listings.set(key, listing, 256 + listing.total * LISTED_BYTES);
  }

  fileAt(root: Key, path: string): FoundFile | undefined {
    return this.#paths.get(root + path);
  }

  keepFileAt(root: Key, path: string, file: FoundFile): void {
    this.#paths.set(root + path, file, PATH_BYTES + path.length);
  }

  /** A file's raw block: at once when it is in memory. */
  file(key: Key, signal: AbortSignal | undefined): Uint8Array | Promise<Uint8Array> {
    return this.#files.get(key) ?? this.#unwritten.get(key)?.bytes ?? this.#loadFile(key, signal);
  }

  async loadBytes(key: Key, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const unwritten = this.#unwritten.get(key)?.bytes;
    if (unwritten !== undefined) return unwritten;
    const cid = cidOfKey(key);
    const own = await this.#init.blockstore.read(cid);
    if (own !== undefined) return own;
    const bytes = await this.#init.getBlock(cid, signal === undefined ? {} : { signal });
    if (hash('sha256', bytes, 'binary') === key.slice(4)) return bytes;
    throw new DirectoryError('DIRECTORY_MALFORMED', `The block ${cid} came with other bytes than its CID says.`);
  }

  /** Takes what a commit made, until `written` or `dropped`. */
  add({ blocks, nodes, listings }: Pick<NewNodes, 'blocks' | 'nodes' | 'listings'>): void {
    for (const [key, bytes] of blocks) {
      const known = this.#unwritten.get(key);
      if (known === undefined) this.#unwritten.set(key, { bytes, commits: 1 });
      else known.commits += 1;
    }
    for (const [key, node] of nodes) this.#keepNode(key, node);
    for (const [key, listing] of listings) this.keepListing(key, listing);
  }

  /** Nodes of roots before would push out those of the newest; an older root is read again from the disk. */
  forget(keys: Iterable<Key>): void {
    for (const key of keys) this.#nodes.delete(key);
  }

  /** The commit's blocks are in the block store, or it has failed. */
  release(keys: Iterable<Key>): void {
    for (const key of keys) {
      const unwritten = this.#unwritten.get(key);
      if (unwritten === undefined) continue;
      unwritten.commits -= 1;
      if (unwritten.commits > 0) continue;
      this.#unwritten.delete(key);
      if (key.charCodeAt(1) === 0x55) this.#files.set(key, unwritten.bytes, unwritten.bytes.length + 128);
    }
  }

  async #loadFile(key: Key, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const bytes = await this.loadBytes(key, signal);
    this.#files.set(key, bytes, bytes.length + 128);
    return bytes;
  }

  #keepNode(key: Key, node: Node): void {
    this.#nodes.set(key, node, nodeMemoryBytes(node));
  }
}
