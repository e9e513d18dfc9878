import { opendir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { BaseBlockstore } from 'blockstore-core';
import type { FsBlockstore } from 'blockstore-fs';
import { NextToLast } from 'blockstore-fs/sharding';
import type { InputPair, Pair } from 'interface-blockstore';
import { NotFoundError } from 'interface-store';
import { base32upper } from 'multiformats/bases/base32';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import * as Digest from 'multiformats/hashes/digest';
import { writeBlockFile } from './block-file.ts';
import type { Hashers } from './blockstore-hashers.ts';
import { blockKey, type FastBlockstore, inOnePiece } from './blockstore-types.ts';
import { StoreError } from './errors.ts';
import { HotCache } from './hot-cache.ts';

/** What we know of a block's file. */
interface Known {
  size: number;
  /** Its bytes have been hashed, or written, by this process. */
  verified: boolean;
}

/** Sizes that are kept: about 20 MB of memory, enough for a 32 GiB store of usual blocks. */
const KNOWN_MAX = 128 * 1024;

/**
 * blockstore-fs's layout with what an exchange of blocks needs: sizes, whole reads, and no torn block ever. A block is
 * written to a temporary file that is renamed, which survives kill -9 but neither a power cut (nothing is synced) nor two
 * writers of one block (they share the temporary file). So a block is written by one writer at a time, and the first read
 * of every block in this process checks its hash; a file that fails is removed and counts as missing.
 */
export class DiskBlocks extends BaseBlockstore implements FastBlockstore {
  readonly #files: FsBlockstore;
  readonly #hashers: Hashers;
  readonly #sharding = new NextToLast();
  readonly #known = new HotCache<Known>(KNOWN_MAX);
  readonly #writing = new Map<string, Promise<void>>();

  constructor(files: FsBlockstore, hashers: Hashers) {
    super();
    this.#files = files;
    this.#hashers = hashers;
  }

  size(cid: CID): number | undefined | Promise<number | undefined> {
    return this.#known.get(blockKey(cid))?.size ?? this.#stat(cid);
  }

  async read(cid: CID): Promise<Uint8Array | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(this.#path(cid));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.#failed('read', cid, error);
    }
    const key = blockKey(cid);
    if (this.#known.get(key)?.verified === true) return bytes;
    if (!this.#matches(cid, bytes)) {
      await this.#discard(cid, bytes);
      return undefined;
    }
    this.#learn(key, { size: bytes.length, verified: true });
    return bytes;
  }

  override async has(cid: CID): Promise<boolean> {
    return (await this.size(cid)) !== undefined;
  }

  override async put(cid: CID, value: InputPair['bytes']): Promise<CID> {
    const bytes = await inOnePiece(value);
    const key = blockKey(cid);
    if (this.#known.get(key)?.verified === true) return cid;
    let writing = this.#writing.get(key);
    if (writing === undefined) {
      writing = this.#write(cid, key, bytes).finally(() => this.#writing.delete(key));
      this.#writing.set(key, writing);
    }
    await writing;
    return cid;
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
    for await (const directory of await opendir(this.#files.path)) {
      if (!directory.isDirectory()) continue;
      for await (const file of await opendir(join(this.#files.path, directory.name))) {
        const cid = this.#cidOf(file.name);
        if (cid !== undefined) yield { cid, bytes: this.get(cid) };
      }
    }
  }

  async #write(cid: CID, key: string, bytes: Uint8Array): Promise<void> {
    try {
      await writeBlockFile(this.#path(cid), bytes);
    } catch (error) {
      throw this.#failed('write', cid, error);
    }
    this.#learn(key, { size: bytes.length, verified: true });
  }

  async #stat(cid: CID): Promise<number | undefined> {
    try {
      const { size } = await stat(this.#path(cid));
      const key = blockKey(cid);
      if (this.#known.get(key) === undefined) this.#learn(key, { size, verified: false });
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

  #cidOf(fileName: string): CID | undefined {
    const { extension } = this.#sharding;
    if (fileName.startsWith('.') || !fileName.endsWith(extension)) return undefined;
    try {
      const multihash = Digest.decode(base32upper.decode(fileName.slice(0, -extension.length)));
      return CID.createV1(raw.code, multihash);
    } catch {
      return undefined;
    }
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
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
