import { WorkswapError } from '../../sdk/protocol/index.ts';
import type { FileAccess } from '../sandbox/index.ts';

/** Bytes of the files that one profiled run may read. */
const FILES_BYTES_MAX = 512 * 1024 * 1024;

/** A job runs without a pause, but files come from elsewhere: it stops at the first one that is missing. */
class FileMissingError extends Error {
  readonly cid: Uint8Array;

  constructor(cid: Uint8Array) {
    super('a file is missing');
    this.cid = cid;
  }
}

/**
 * Runs `attempt`, which is deterministic, again and again until all files that it reads are here. `readWhole` fetches
 * one of them, of at most so many bytes.
 *
 * @throws ProfileFilesError from `readWhole`, when a file is larger
 */
export async function withFiles<T>(
  attempt: (files: FileAccess) => T,
  readWhole: (cid: Uint8Array, bytesMax: number) => Promise<Uint8Array>,
): Promise<T> {
  const files = new Map<string, Uint8Array>();
  let room = FILES_BYTES_MAX;
  const fileOf = (cid: Uint8Array): Uint8Array => {
    const file = files.get(keyOf(cid));
    if (file === undefined) throw new FileMissingError(cid.slice());
    return file;
  };
  for (;;) {
    try {
      return attempt({
        readFile: (cid, offset, length) => fileOf(cid).subarray(offset, offset + length),
        fileSize: (cid) => fileOf(cid).length,
      });
    } catch (error) {
      const missing = missingFile(error);
      if (missing === undefined) throw error;
      const file = await readWhole(missing, room);
      room -= file.length;
      files.set(keyOf(missing), file);
    }
  }
}

/** The engine wraps what a host call throws. */
function missingFile(error: unknown): Uint8Array | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof FileMissingError) return at.cid;
  return undefined;
}

function keyOf(cid: Uint8Array): string {
  return Buffer.from(cid).toString('hex');
}

export class ProfileFilesError extends WorkswapError {
  constructor() {
    super(
      'PROFILE_FILES_TOO_LARGE',
      `The run reads files of more than ${FILES_BYTES_MAX} bytes together. Profile it on a smaller one.`,
      { fault: 'consumer' },
    );
  }
}
