import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Blockstore } from 'interface-blockstore';
import { importer } from 'ipfs-unixfs-importer';
import type { ImportCandidate } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import type { CID } from 'multiformats/cid';

/** Chunk size of the unixfs-v1-2025 profile, so that every tool that follows it gives a file the same CID. */
const CHUNK_BYTES = 1024 * 1024;

/** Adds a file or a directory as UnixFS; undefined when there is nothing in it. Links are not followed. */
export async function importPath(path: string, blockstore: Blockstore): Promise<CID | undefined> {
  const isDirectory = (await stat(path)).isDirectory();
  const source: AsyncIterable<ImportCandidate> = isDirectory ? walk(path, '') : one(path);
  let root: CID | undefined;
  const options = {
    cidVersion: 1,
    rawLeaves: true,
    chunker: fixedSize({ chunkSize: CHUNK_BYTES }),
    wrapWithDirectory: isDirectory,
  } as const;
  for await (const entry of importer(source, blockstore, options)) root = entry.cid;
  return root;
}

async function* one(path: string): AsyncGenerator<ImportCandidate> {
  yield { content: createReadStream(path) };
}

async function* walk(directory: string, prefix: string): AsyncGenerator<ImportCandidate> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(path, name);
    // A link could lead out of the directory that the user named.
    else if (entry.isFile()) yield { path: name, content: createReadStream(path) };
  }
}
