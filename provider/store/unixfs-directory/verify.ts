import { CHUNK_BYTES, PATH_BYTES_MAX, PATH_SEGMENTS_MAX, SHARD_DEPTH_MAX } from './constants.ts';
import { DirectoryError, malformed } from './errors.ts';
import { cidOfKey, isRawKey, type Key } from './keys.ts';
import { nameHash } from './names.ts';
import { decode, encode, isSharded, linkBytes, type DirectoryNode, type FileNode, type ShardNode } from './nodes.ts';

export interface VerifyLimits {
  /** Blocks, each counted once at each place of the tree's shape where it is. */
  nodesMax: number;
  /** Bytes of all blocks together. */
  bytesMax: number;
}

/** What a parent has to know of a directory. */
interface Checked {
  /** Bytes of its longest path, and segments of its deepest. */
  pathBytes: number;
  segments: number;
  entryBytes: number;
  entries: number;
  tsize: number;
}

/** Blocks under way at once. */
const PARALLEL = 16;

/**
 * Checks that a DAG is a directory as this profile makes it from its files: every node in its one encoding, every shard
 * where the hashes say, no empty directory, sharded exactly above the limit, sizes that are true, paths within limits.
 *
 * @throws DirectoryError DIRECTORY_MALFORMED, DIRECTORY_TOO_LARGE; what `fetch` throws
 */
export async function verifyDirectory(
  root: Key,
  fetch: (key: Key) => Promise<Uint8Array>,
  limits: VerifyLimits,
): Promise<void> {
  const { pathBytes, segments } = await new Verification(fetch, limits).root(root);
  if (pathBytes > PATH_BYTES_MAX) throw malformed(cidOfKey(root).toString(), `a path has ${pathBytes} bytes`);
  if (segments > PATH_SEGMENTS_MAX) throw malformed(cidOfKey(root).toString(), `a path has ${segments} segments`);
}

class Verification {
  readonly #fetch: (key: Key) => Promise<Uint8Array>;
  readonly #limits: VerifyLimits;
  readonly #known = new Map<string, Promise<Checked>>();
  readonly #free: (() => void)[] = [];
  #underWay = 0;
  #nodes = 0;
  #bytes = 0;

  constructor(fetch: (key: Key) => Promise<Uint8Array>, limits: VerifyLimits) {
    this.#fetch = fetch;
    this.#limits = limits;
  }

  async root(key: Key): Promise<Checked> {
    const node = await this.#load(key);
    if (node.type === 'file') throw malformed(cidOfKey(key).toString(), 'it is a file');
    return this.#directory(key, node, 0);
  }

  async #directory(key: Key, node: DirectoryNode, depth: number): Promise<Checked> {
    const checked = await this.#links(key, node, '', depth);
    if (isSharded(checked.entryBytes) !== (node.type === 'shard')) {
      throw malformed(cidOfKey(key).toString(), `a directory of ${checked.entries} entries is not a ${node.type} node`);
    }
    return checked;
  }

  /** @param prefix the slots that lead to this shard */
  async #links(key: Key, node: DirectoryNode, prefix: string, depth: number): Promise<Checked> {
    if (depth > PATH_SEGMENTS_MAX) throw malformed(cidOfKey(key).toString(), 'directories are nested too deep');
    const { tsize } = encode(node);
    const sum: Checked = { pathBytes: 0, segments: 0, entryBytes: 0, entries: 0, tsize };
    const rest = node.links.entries();
    const checkRest = async (): Promise<void> => {
      for (const [i, link] of rest) {
        const own = node.type === 'shard' ? prefix + String.fromCharCode(node.slots[i]!) : prefix;
        if (link.name === '') {
          const below = await this.#once(`${own}/${link.key}`, () => this.#shard(link.key, own, depth));
          checkSize(link.key, link.tsize, below.tsize);
          sum.entryBytes += below.entryBytes;
          sum.entries += below.entries;
          sum.pathBytes = Math.max(sum.pathBytes, below.pathBytes);
          sum.segments = Math.max(sum.segments, below.segments);
          continue;
        }
        if (node.type === 'shard') checkPlace(key, link.name, own);
        const below = await this.#once(link.key, () => this.#entry(link.key, depth));
        checkSize(link.key, link.tsize, below.tsize);
        const nameBytes = Buffer.byteLength(link.name);
        sum.entryBytes += linkBytes(link);
        sum.entries += 1;
        sum.pathBytes = Math.max(sum.pathBytes, nameBytes + (below.segments === 0 ? 0 : 1 + below.pathBytes));
        sum.segments = Math.max(sum.segments, 1 + below.segments);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, checkRest));
    return sum;
  }

  async #shard(key: Key, prefix: string, depth: number): Promise<Checked> {
    const node = await this.#load(key);
    if (node.type !== 'shard') throw malformed(cidOfKey(key).toString(), 'it is not a shard');
    if (prefix.length >= SHARD_DEPTH_MAX) throw malformed(cidOfKey(key).toString(), 'shards are nested too deep');
    const checked = await this.#links(key, node satisfies ShardNode, prefix, depth);
    if (checked.entries < 2) throw malformed(cidOfKey(key).toString(), 'a shard below the topmost has two entries');
    return checked;
  }

  async #entry(key: Key, depth: number): Promise<Checked> {
    const file = { pathBytes: 0, segments: 0, entryBytes: 0, entries: 0 };
    if (isRawKey(key)) return { ...file, tsize: await this.#raw(key) };
    const node = await this.#load(key);
    if (node.type !== 'file') {
      if (node.links.length === 0) throw malformed(cidOfKey(key).toString(), 'the directory is empty');
      return this.#directory(key, node, depth + 1);
    }
    await this.#chunks(key, node);
    return { ...file, tsize: encode(node).tsize };
  }

  async #chunks(key: Key, { size, chunks }: FileNode): Promise<void> {
    for (const [i, chunk] of chunks.entries()) {
      const { tsize } = await this.#once(chunk, () => this.#entry(chunk, 0));
      if (tsize !== Math.min(CHUNK_BYTES, size - i * CHUNK_BYTES)) {
        throw malformed(cidOfKey(key).toString(), `its chunk ${i} has ${tsize} bytes`);
      }
    }
  }

  async #raw(key: Key): Promise<number> {
    const { length } = await this.#block(key);
    if (length > CHUNK_BYTES) throw malformed(cidOfKey(key).toString(), `a chunk has ${length} bytes`);
    return length;
  }

  async #load(key: Key): Promise<DirectoryNode | FileNode> {
    return decode(key, await this.#block(key));
  }

  #once(what: string, check: () => Promise<Checked>): Promise<Checked> {
    let known = this.#known.get(what);
    if (known === undefined) {
      known = check();
      this.#known.set(what, known);
    }
    return known;
  }

  async #block(key: Key): Promise<Uint8Array> {
    this.#nodes += 1;
    if (this.#nodes > this.#limits.nodesMax) throw this.#tooLarge(`${this.#limits.nodesMax} blocks`);
    if (this.#underWay >= PARALLEL) await new Promise<void>((resolve) => this.#free.push(resolve));
    this.#underWay += 1;
    try {
      const bytes = await this.#fetch(key);
      this.#bytes += bytes.length;
      if (this.#bytes > this.#limits.bytesMax) throw this.#tooLarge(`${this.#limits.bytesMax} bytes`);
      return bytes;
    } finally {
      this.#underWay -= 1;
      this.#free.shift()?.();
    }
  }

  #tooLarge(what: string): DirectoryError {
    return new DirectoryError('DIRECTORY_TOO_LARGE', `A state with more than ${what} is not taken.`);
  }
}

function checkSize(key: Key, said: number, actual: number): void {
  if (said === actual) return;
  throw malformed(cidOfKey(key).toString(), `its parent says ${said} bytes, it has ${actual}`);
}

function checkPlace(shard: Key, name: string, prefix: string): void {
  const hash = nameHash(name);
  for (let i = 0; i < prefix.length; i++) {
    if (hash[i] === prefix.charCodeAt(i)) continue;
    throw malformed(cidOfKey(shard).toString(), `the name ${JSON.stringify(name)} belongs into another slot`);
  }
}
