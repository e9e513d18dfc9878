import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import * as dagCbor from '@ipld/dag-cbor';

// The compiler itself takes longest to load, so only what it calls itself is read.
const { version: compilerVersion } = createRequire(import.meta.url)('assemblyscript/package.json') as {
  version: string;
};

/** What is kept of a build: what it made, and every file that had a say. */
export interface KeptBuild {
  wasm: Uint8Array<ArrayBuffer>;
  sourceMap?: string;
}

/** Every file that the compiler asked for, by absolute path, with its text; null where there was none. */
export type Sources = ReadonlyMap<string, string | null>;

interface Entry {
  /** By path from the author's file, so that a copied project finds the builds of the first. */
  sources: [path: string, sha256: Uint8Array | null][];
  wasm: Uint8Array<ArrayBuffer>;
  wasmSha256: Uint8Array;
  sourceMap: string | null;
}

/** Beyond so many builds, those that were not used for longest go. */
const ENTRIES_MAX = 500;
/** A build larger than this is made again rather than kept. */
const ENTRY_BYTES_MAX = 32 * 2 ** 20;

/**
 * Builds kept on disk, between processes. A build depends on the compiler, on what `sdk/build` does, on the options and
 * on the files that were read: the first three and the author's file are an entry's name, and the others are compared
 * when it is found. What cannot be read or written is as if it was not there: a build can always be made again.
 */
export class BuildCache {
  readonly #directory: string;
  #builderSha256: Promise<Uint8Array> | undefined;

  constructor(
    directory = path.join(process.env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'workswap/builds'),
  ) {
    this.#directory = directory;
  }

  /** What names a build of `author`, whose text is `text`, made as `how` says. */
  async keyOf(author: string, text: string, how: unknown): Promise<string> {
    const builder = await (this.#builderSha256 ??= sha256OfFiles(import.meta.dirname));
    const name = [compilerVersion, builder, path.basename(author), text, JSON.stringify(how)];
    return Buffer.from(sha256(dagCbor.encode(name))).toString('hex');
  }

  async get(key: string, author: string): Promise<KeptBuild | undefined> {
    const file = path.join(this.#directory, key);
    try {
      const { sources, wasm, wasmSha256, sourceMap } = dagCbor.decode<Entry>(await readFile(file));
      if (!Buffer.from(sha256(wasm)).equals(wasmSha256)) return undefined;
      for (const [name, expected] of sources) {
        const text = await readFile(path.resolve(path.dirname(author), name)).catch(() => null);
        if (text === null ? expected !== null : expected === null || !Buffer.from(sha256(text)).equals(expected)) {
          return undefined;
        }
      }
      const now = new Date();
      await utimes(file, now, now);
      return { wasm: wasm.slice(), ...(sourceMap === null ? {} : { sourceMap }) };
    } catch {
      return undefined;
    }
  }

  async put(key: string, author: string, sources: Sources, { wasm, sourceMap }: KeptBuild): Promise<void> {
    const entry: Entry = {
      sources: [...sources].map(([file, text]) => [
        path.relative(path.dirname(author), file),
        text === null ? null : sha256(text),
      ]),
      wasm,
      wasmSha256: sha256(wasm),
      sourceMap: sourceMap ?? null,
    };
    const bytes = dagCbor.encode(entry);
    if (bytes.length > ENTRY_BYTES_MAX) return;
    const file = path.join(this.#directory, key);
    const temporary = `${file}.${process.pid}.new`;
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeFile(temporary, bytes, { mode: 0o600 });
      await rename(temporary, file);
      await this.#prune();
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  async #prune(): Promise<void> {
    const names = await readdir(this.#directory);
    if (names.length <= ENTRIES_MAX) return;
    const files = await Promise.all(
      names.map(async (name) => {
        const file = path.join(this.#directory, name);
        return {
          file,
          usedMs: await stat(file).then(
            ({ mtimeMs }) => mtimeMs,
            () => 0,
          ),
        };
      }),
    );
    files.sort((a, b) => a.usedMs - b.usedMs);
    // A few more than must be, so that not every build reads the whole directory's times.
    await Promise.all(files.slice(0, names.length - ENTRIES_MAX + 50).map(({ file }) => rm(file, { force: true })));
  }
}

async function sha256OfFiles(directory: string): Promise<Uint8Array> {
  const hash = createHash('sha256');
  for (const entry of (await readdir(directory, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.isFile()) hash.update(await readFile(path.join(directory, entry.name)));
  }
  return hash.digest();
}

function sha256(bytes: Uint8Array | string): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
