import { allocate } from './bytes';
import { Cid } from './cid';
import { blockRead, blockSize } from './host';

/** Large enough that the price of the call itself hardly counts, small enough for a handler of a few pages. */
const CHUNK_BYTES: i32 = 256 * 1024;

/**
 * An IPFS file, or a single block, read by its CID: the provider fetches what is missing, and the job pays for the
 * bytes it reads. A file that cannot be fetched ends the job; a handler never sees half of one.
 *
 * ```ts
 * const file = new File(cid);
 * while (file.next()) count(file.chunk);
 * ```
 */
export class File {
  /** Where the next chunk begins. */
  private offset: i64 = 0;
  private buffer: ArrayBuffer | null = null;
  private length: i32 = 0;

  constructor(
    public cid: Cid,
    private chunkBytes: i32 = CHUNK_BYTES,
  ) {
    if (chunkBytes < 1) throw new Error('a chunk must have at least one byte');
  }

  /** The file's size in bytes. */
  get size(): i64 {
    return blockSize(this.cid.bytes.dataStart, this.cid.bytes.byteLength);
  }

  /** Reads `target.length` bytes from `offset` on; returns how many there were, fewer only at the end of the file. */
  read(offset: i64, target: Uint8Array): i32 {
    const cid = this.cid.bytes;
    return blockRead(cid.dataStart, cid.byteLength, offset, target.dataStart, target.byteLength);
  }

  /** Reads the next chunk; false at the end. */
  next(): bool {
    let buffer = this.buffer;
    if (buffer === null) this.buffer = buffer = allocate(this.chunkBytes);
    const cid = this.cid.bytes;
    this.length = blockRead(cid.dataStart, cid.byteLength, this.offset, changetype<usize>(buffer), this.chunkBytes);
    this.offset += this.length;
    return this.length > 0;
  }

  /** The chunk that `next` read. The one after it takes its place in memory. */
  get chunk(): Uint8Array {
    const buffer = this.buffer;
    return buffer === null ? new Uint8Array(0) : Uint8Array.wrap(buffer, 0, this.length);
  }
}
