import { mkdir, mkdirSync, rename, renameSync, rmSync, unlink, writeFile, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

// With callbacks: a file handle of fs/promises costs the event loop twice as much, and blocks are many and small.
const makeDirectory = promisify(mkdir);
const write = promisify(writeFile);
const move = promisify(rename);
const remove = promisify(unlink);

/**
 * Writes a block's file, so that it is there with all its bytes or not at all, also when the process is killed. Nothing is
 * synced. One writer at a time for each path; a temporary file that is left behind is overwritten by the next.
 */
export async function writeBlockFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    // The directory is nearly always there.
    await write(temporary, bytes).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      await makeDirectory(dirname(path), { recursive: true });
      await write(temporary, bytes);
    });
    await move(temporary, path);
  } catch (error) {
    await remove(temporary).catch(() => {});
    throw error;
  }
}

/** The same for a thread that does nothing else. */
export function writeBlockFileSync(path: string, bytes: Uint8Array): void {
  const temporary = temporaryFor(path);
  try {
    try {
      writeFileSync(temporary, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(temporary, bytes);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}`);
}
