import type { StateEntry, StateStat, StateView } from '../../sandbox/index.ts';
import {
  CHUNK_BYTES,
  DirectoryError,
  find,
  list,
  whenLoaded,
  type ChangedDirectory,
  type Found,
  type FoundFile,
  type Key,
} from '../../store/index.ts';
import type { StateBlocks } from './blocks.ts';

export interface ViewInit {
  changes?: ChangedDirectory | undefined;
  /** Only without changes. */
  remembers?: boolean;
}

/** A state at one root, with changes on top. Answers without a promise when everything is in memory. */
export class TreeView implements StateView {
  readonly #blocks: StateBlocks;
  readonly #root: Key;
  readonly #changes: ChangedDirectory | undefined;
  readonly #remembers: boolean;

  /** @param remembers where files are, for views of this root to come; an update's root is soon another */
  constructor(blocks: StateBlocks, root: Key, { changes, remembers = false }: ViewInit = {}) {
    this.#blocks = blocks;
    this.#root = root;
    this.#changes = changes;
    this.#remembers = remembers;
  }

  stat(path: string, signal: AbortSignal): StateStat | undefined | Promise<StateStat | undefined> {
    const found = this.#find(path, signal);
    return found instanceof Promise ? found.then(statOf) : statOf(found);
  }

  read(
    path: string,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const found = this.#find(path, signal);
    if (found instanceof Promise) {
      return found.then((late) => (late?.kind === 'file' ? this.#readFile(late, offset, length, signal) : undefined));
    }
    return found?.kind === 'file' ? this.#readFile(found, offset, length, signal) : undefined;
  }

  list(
    path: string,
    after: string,
    limit: number,
    signal: AbortSignal,
  ):
    | { entries: StateEntry[]; total: number }
    | undefined
    | Promise<{ entries: StateEntry[]; total: number } | undefined> {
    return whenLoaded(
      this.#blocks,
      (nodes) => {
        const found = find(nodes, this.#root, this.#changes, path);
        return found?.kind === 'directory' ? list(nodes, found, after, limit) : undefined;
      },
      signal,
    );
  }

  /** A file of a root is looked up once, however large its directory is. */
  #find(path: string, signal: AbortSignal): Found | undefined | Promise<Found | undefined> {
    const known = this.#remembers ? this.#blocks.fileAt(this.#root, path) : undefined;
    if (known !== undefined) return known;
    return whenLoaded(
      this.#blocks,
      (nodes) => {
        const found = find(nodes, this.#root, this.#changes, path);
        if (this.#remembers && found?.kind === 'file') this.#blocks.keepFileAt(this.#root, path, found);
        return found;
      },
      signal,
    );
  }

  /** A copy: what the caller does with it, for example give it to another thread, must not reach the cache. */
  #readFile(file: FoundFile, offset: number, length: number, signal: AbortSignal): Uint8Array | Promise<Uint8Array> {
    const start = Math.min(Math.max(0, offset), file.size);
    const end = Math.min(file.size, start + Math.max(0, length));
    if ('bytes' in file) return file.bytes.slice(start, end);
    if ('node' in file) return this.#readChunks(file.node.chunks, start, end, signal);
    const block = this.#blocks.file(file.raw, signal);
    return block instanceof Promise ? block.then((bytes) => copy(bytes, start, end)) : copy(block, start, end);
  }

  async #readChunks(chunks: readonly Key[], start: number, end: number, signal: AbortSignal): Promise<Uint8Array> {
    const target = new Uint8Array(end - start);
    for (let at = start; at < end;) {
      const index = Math.floor(at / CHUNK_BYTES);
      const chunk = await this.#blocks.file(chunks[index]!, signal);
      const from = at - index * CHUNK_BYTES;
      const part = chunk.subarray(from, from + end - at);
      if (part.length === 0)
        throw new DirectoryError('DIRECTORY_MALFORMED', 'A chunk of a file is shorter than its file says.');
      target.set(part, at - start);
      at += part.length;
    }
    return target;
  }
}

function statOf(found: Found | undefined): StateStat | undefined {
  return found && { kind: found.kind, size: found.size };
}

/** Of a Buffer `slice` would be a view. */
function copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, start, end);
}
