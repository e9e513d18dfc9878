import * as fs from 'node:fs';
import { opendir, readdir, readFile, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BaseBlockstore } from 'blockstore-core';
import type { FsBlockstore } from 'blockstore-fs';
import { NextToLast } from 'blockstore-fs/sharding';
import type { InputPair, Pair } from 'interface-blockstore';
import { NotFoundError } from 'interface-store';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import * as Digest from 'multiformats/hashes/digest';
import { writeBlockFile } from './block-file.ts';
import { BlockWriter } from './block-writer.ts';
import { multihashOfName } from './block-names.ts';
import { BlockSources } from './block-sources.ts';
import { DigestSet } from './digest-set.ts';
import type { Hashers } from './blockstore-hashers.ts';
import { blockKey, type BlockSource, type CollectableBlocks, inOnePiece } from './blockstore-types.ts';
import { StoreError } from './errors.ts';
import { HotCache } from './hot-cache.ts';

/** What we know of a block's file. */
interface Known {
  size: number;
  /** Its bytes have been hashed, or written, by this process. */
  verified: boolean;
  /** When it was written, or its file was told that it is needed. */
  freshMs: number;
}

/** A block that is put again is young again, in steps: one that is put all the time costs nothing. */
const FRESH_STEP_MS = 60_000;

/** With a callback: that of fs/promises takes twice the time, and every block that is fetched is looked for first. */
const stat = promisify(fs.stat);

/** Sizes that are kept: about 20 MB of memory, enough for a 32 GiB store of usual blocks. */
const KNOWN_MAX = 128 * 1024;

/**
 * blockstore-fs's layout with what an exchange of blocks needs: sizes, whole reads, and no torn block ever. A block is
 * written to a temporary file that is renamed, which survives kill -9 but neither a power cut (nothing is synced) nor two
 * writers of one block (they share the temporary file). So a block is written by one writer at a time, and the first read
 * of every block in this process checks its hash; a file that fails is removed and counts as missing.
 */
export class DiskBlocks extends BaseBlockstore implements CollectableBlocks {
  readonly #files: FsBlockstore;
  readonly #hashers: Hashers;
  readonly #sharding = new NextToLast();
  readonly #known = new HotCache<Known>(KNOWN_MAX);
  readonly #writing = new Map<string, Promise<void>>();
  readonly #writer = new BlockWriter();
  readonly #elsewhere = new BlockSources();
  /** While garbage is collected: blocks that were put, read or looked for meanwhile. */
  #touched: DigestSet | undefined;

  constructor(files: FsBlockstore, hashers: Hashers) {
    super();
    this.#files = files;
    this.#hashers = hashers;
  }

  join(source: BlockSource): () => void {
    return this.#elsewhere.add(source);
  }

  size(cid: CID): number | undefined | Promise<number | undefined> {
    this.#touched?.add(cid.multihash);
    return this.#known.get(blockKey(cid))?.size ?? this.#elsewhere.size(cid) ?? this.#stat(cid);
  }

  async read(cid: CID): Promise<Uint8Array | undefined> {
    this.#touched?.add(cid.multihash);
    const known = this.#known.get(blockKey(cid));
    const elsewhere = known === undefined ? this.#elsewhere.read(cid) : undefined;
    if (elsewhere !== undefined) return elsewhere;
    const bytes = await this.#load(cid);
    if (bytes === undefined) return known && this.#elsewhere.read(cid);
    if (this.#known.get(blockKey(cid))?.verified === true) return bytes;
    return (await this.#verify(cid, bytes)) ? bytes : undefined;
  }

  async check(cid: CID): Promise<Uint8Array | 'missing' | 'corrupt'> {
    const bytes = await this.#load(cid);
    if (bytes === undefined) {
      // Somebody else has removed it.
      this.#known.delete(blockKey(cid));
      const elsewhere = this.#elsewhere.read(cid);
      if (elsewhere === undefined) return 'missing';
      return this.#matches(cid, elsewhere) ? elsewhere : 'corrupt';
    }
    return (await this.#verify(cid, bytes)) ? bytes : 'corrupt';
  }

  async #load(cid: CID): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.#path(cid));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.#failed('read', cid, error);
    }
  }

  /** A file with other bytes than its name says is removed. */
  async #verify(cid: CID, bytes: Uint8Array): Promise<boolean> {
    if (!this.#matches(cid, bytes)) {
      await this.#discard(cid, bytes);
      return false;
    }
    const key = blockKey(cid);
    this.#learn(key, { size: bytes.length, verified: true, freshMs: this.#known.get(key)?.freshMs ?? 0 });
    return true;
  }

  override async has(cid: CID): Promise<boolean> {
    return (await this.size(cid)) !== undefined;
  }

  override async put(cid: CID, value: InputPair['bytes']): Promise<CID> {
    await this.#put(cid, await inOnePiece(value), writeBlockFile);
    return cid;
  }

  async take(cid: CID, bytes: Uint8Array): Promise<void> {
    await this.#put(cid, bytes, (path) => this.#writer.write(path, bytes));
  }

  async #put(cid: CID, bytes: Uint8Array, writeFile: typeof writeBlockFile): Promise<void> {
    this.#touched?.add(cid.multihash);
    const key = blockKey(cid);
    const known = this.#known.get(key);
    const isHere = known?.verified === true;
    if (isHere && Date.now() - known.freshMs < FRESH_STEP_MS) return;
    let writing = this.#writing.get(key);
    if (writing === undefined) {
      writing = this.#write(cid, bytes, isHere, writeFile).finally(() => this.#writing.delete(key));
      this.#writing.set(key, writing);
    }
    await writing;
  }

  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    const bytes = await this.read(cid);
    if (bytes === undefined) throw new NotFoundError(`The block ${cid} is not in ${this.#files.path}`);
    yield bytes;
  }

  override async delete(cid: CID): Promise<void> {
    this.#known.delete(blockKey(cid));
    await this.#files.delete(cid);
  }

  /** Every block, as CIDv1 with the raw codec: the store knows multihashes only. */
  override async *getAll(): AsyncGenerator<Pair> {
    for await (const multihashes of this.directories()) yield* this.#pairsOf(multihashes);
    yield* this.#pairsOf(this.#elsewhere.multihashes());
  }

  *#pairsOf(multihashes: Iterable<CID['multihash']>): Generator<Pair> {
    for (const multihash of multihashes) {
      const cid = rawCidOf(multihash);
      yield { cid, bytes: this.get(cid) };
    }
  }

  /** The blocks of one directory after the other. Each is only valid until the next. */
  async *directories(): AsyncGenerator<Iterable<CID['multihash']>> {
    for await (const directory of await opendir(this.#files.path)) {
      if (!directory.isDirectory()) continue;
      yield this.#multihashes(await readdir(join(this.#files.path, directory.name)));
    }
  }

  *#multihashes(names: string[]): Generator<CID['multihash']> {
    const { extension } = this.#sharding;
    for (const name of names) {
      if (name.startsWith('.') || !name.endsWith(extension)) continue;
      const multihash = multihashOfName(name.slice(0, -extension.length));
      if (multihash !== undefined) yield multihash;
    }
  }

  startCollecting(): void {
    this.#touched = new DigestSet();
  }

  stopCollecting(): void {
    this.#touched = undefined;
  }

  /**
   * Removes a block, unless it came or was needed after `beforeMs`, or since the collection began. All in one go: nobody
   * can put it or look for it between the decision and the removal. Gives the bytes that it had.
   */
  removeUnused(cid: CID, beforeMs: number, dryRun: boolean): number | undefined {
    const key = blockKey(cid);
    if (this.#touched?.has(cid.multihash) === true || this.#writing.has(key)) return undefined;
    if ((this.#known.get(key)?.freshMs ?? 0) > beforeMs) return undefined;
    try {
      const { size, mtimeMs } = fs.statSync(this.#path(cid));
      if (mtimeMs > beforeMs) return undefined;
      if (dryRun) return size;
      this.#known.delete(key);
      fs.unlinkSync(this.#path(cid));
      this.#changed(-size);
      return size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.#failed('write', cid, error);
    }
  }

  onChange(listener: (bytes: number) => void): void {
    this.#changed = listener;
  }

  #changed: (bytes: number) => void = () => {};

  async #write(cid: CID, bytes: Uint8Array, isHere: boolean, writeFile: typeof writeBlockFile): Promise<void> {
    const now = new Date();
    const size = bytes.length;
    const path = this.#path(cid);
    try {
      const isTouched =
        isHere &&
        (await utimes(path, now, now).then(
          () => true,
          () => false,
        ));
      if (!isTouched) {
        await writeFile(path, bytes);
        this.#changed(size);
      }
    } catch (error) {
      throw this.#failed('write', cid, error);
    }
    this.#learn(blockKey(cid), { size, verified: true, freshMs: now.getTime() });
  }

  async #stat(cid: CID): Promise<number | undefined> {
    try {
      const { size, mtimeMs } = await stat(this.#path(cid));
      const key = blockKey(cid);
      if (this.#known.get(key) === undefined) this.#learn(key, { size, verified: false, freshMs: mtimeMs });
      return size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.#failed('read', cid, error);
    }
  }

  #matches(cid: CID, bytes: Uint8Array): boolean {
    const { code, digest } = cid.multihash;
    // What cannot be hashed here was put here by this node itself: peers cannot send it.
    if (!this.#hashers.supports(code, digest.length)) return true;
    const actual = this.#hashers.digest(code, digest.length, bytes);
    return actual !== undefined && Buffer.compare(actual, digest) === 0;
  }

  async #discard(cid: CID, torn: Uint8Array): Promise<void> {
    this.#known.delete(blockKey(cid));
    const { size } = await stat(this.#path(cid)).catch(() => ({ size: -1 }));
    // Somebody may have written it anew while we were hashing the torn one.
    if (size === torn.length) await unlink(this.#path(cid)).catch(() => undefined);
  }

  #learn(key: string, known: Known): void {
    this.#known.set(key, known, 1);
  }

  #path(cid: CID): string {
    const { dir, file } = this.#sharding.encode(cid);
    return join(this.#files.path, dir, file);
  }

  #failed(what: 'read' | 'write', cid: CID, cause: unknown): StoreError {
    const path = this.#path(cid);
    const text = String(cause);
    if (text.includes('ENOSPC') || text.includes('EDQUOT')) {
      const message = `No space left to write the block ${cid} to ${path}. Free disk space; the node goes on by itself.`;
      return new StoreError('STORE_FULL', message, { path, retryable: true, cause });
    }
    const message = `Cannot ${what} the block ${cid} at ${path}: ${text}. Check the directory's permissions.`;
    return new StoreError('STORE_UNAVAILABLE', message, { path, cause });
  }
}

function isMissing(error: unknown): boolean {
  // A hash that is too long for a file's name is of no block of ours.
  return ['ENOENT', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** A copy, as CIDv1 with the raw codec: the store knows multihashes only. */
export function rawCidOf({ bytes }: CID['multihash']): CID {
  return CID.createV1(raw.code, Digest.decode(Uint8Array.from(bytes)));
}
