import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { importer } from 'ipfs-unixfs-importer';
import type { ImportCandidate } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { defaultDirectory } from '../config.ts';
import { openBlockstore } from '../store/index.ts';
import { UsageError } from './errors.ts';
import { blocksDirectory } from './session.ts';

/** Chunk size of the unixfs-v1-2025 profile, so that every tool that follows it gives a file the same CID. */
const CHUNK_BYTES = 1024 * 1024;

export function addPublish(program: Command): Command {
  return program
    .command('publish')
    .description(
      'Add a file or a directory to the block store and print its CID. Peers that you are connected to can fetch it.',
    )
    .argument('<path>', 'file or directory')
    .option('--data <DIR>', "the node's directory", defaultDirectory('consumer'))
    .option('--json', 'print {"cid"}')
    .addHelpText(
      'after',
      '\nExamples:\n  workswap publish hello.wasm\n  workswap publish site/ --data ~/.workswap/provider',
    )
    .action(publish);
}

async function publish(path: string, { data, json }: { data: string; json?: boolean }): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UsageError(`There is no file or directory ${path}`);
  const blockstore = await openBlockstore(blocksDirectory(data));
  const isDirectory = found.isDirectory();
  const source: AsyncIterable<ImportCandidate> = isDirectory ? walk(path, '') : one(path);
  let root: string | undefined;
  const options = {
    cidVersion: 1,
    rawLeaves: true,
    chunker: fixedSize({ chunkSize: CHUNK_BYTES }),
    wrapWithDirectory: isDirectory,
  } as const;
  for await (const entry of importer(source, blockstore, options)) root = entry.cid.toString();
  if (root === undefined) throw new UsageError(`${path} has nothing to publish`);
  console.log(json ? JSON.stringify({ cid: root }) : root);
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
