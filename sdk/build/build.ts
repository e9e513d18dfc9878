import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { checkBorder } from './abi.ts';
import { BuildCache } from './cache.ts';
import { compileInThread } from './compiler.ts';
import { type AuthorConfig, loadConfig } from './config.ts';
import { formatDiagnostics } from './diagnostics.ts';
import { BuildError, type Diagnostic } from './errors.ts';
import { withFunctionNames } from './function-names.ts';
import { stripCustomSections } from './sections.ts';

export interface BuildOptions {
  /** Build the `debug` target: little optimisation, names kept. */
  debug?: boolean;
  /** Keep the functions' names for profiles. They change the module's CID, not its behaviour. Default: `debug`. */
  names?: boolean;
  /** Make a source map for profiles. It stands beside the module and does not change it. */
  sourceMap?: boolean;
  signal?: AbortSignal;
}

export interface Build {
  wasm: Uint8Array<ArrayBuffer>;
  /** The source map as JSON, with the functions' names, where one was asked for. */
  sourceMap?: string;
  /** Warnings and remarks, readable; empty when there are none. */
  diagnostics: string;
}

const cache = new BuildCache();

/**
 * Compiles an author's AssemblyScript file, which exports `handle(req: Request): Response`, to the module that
 * providers run. The same sources give the same bytes, wherever they lie. A build that had nothing to say is kept on disk
 * and found again while none of its sources changes.
 *
 * @throws BuildError with every problem's file and line when the handler does not compile or could not be served.
 */
export async function buildHandler(file: string, options: BuildOptions = {}): Promise<Build> {
  const { debug = false, names = debug, sourceMap = false, signal } = options;
  signal?.throwIfAborted();
  const author = path.resolve(file);
  if (!author.endsWith('.ts')) {
    throw new BuildError(author, `${file}: a handler's source is an AssemblyScript file whose name ends in .ts`, []);
  }
  const text = await readFile(author, 'utf8').catch((cause: unknown) => {
    throw new BuildError(author, `${file}: cannot be read: ${reasonOf(cause)}`, [], cause);
  });
  const config = await loadConfig(path.dirname(author), debug ? 'debug' : 'release');
  const { options: chosen, ignored } = config;
  // A build that has something to say of its options is not the one that had nothing to say.
  const key = await cache.keyOf(author, text, { names, sourceMap, options: chosen, ignored });
  const kept = await cache.get(key, author);
  if (kept !== undefined) return { ...kept, diagnostics: '' };

  const result = await compileInThread({ file: author, options: config.options, sourceMap }, signal).catch(
    (cause: unknown) => {
      signal?.throwIfAborted();
      throw new BuildError(author, `${file}: the compiler gave up: ${reasonOf(cause)}`, [], cause);
    },
  );
  const diagnostics = [...ignoredOptions(config), ...result.diagnostics];
  const wasm = result.wasm === undefined ? undefined : stripCustomSections(result.wasm, names ? ['name'] : []);
  if (wasm !== undefined) diagnostics.push(...checkBorder(new WebAssembly.Module(wasm)));
  const readable = formatDiagnostics(diagnostics, result.sources);
  if (wasm === undefined || diagnostics.some(({ severity }) => severity === 'error')) {
    throw new BuildError(author, `${file} does not build:\n${result.failure ?? readable}`, diagnostics);
  }
  const build: Build = { wasm, diagnostics: readable };
  if (result.sourceMap !== undefined && result.wasm !== undefined) {
    build.sourceMap = withFunctionNames(result.sourceMap, result.wasm);
  }
  // What a build has to say names files where they lie, so it is said anew each time.
  if (readable === '') await cache.put(key, author, result.sources, build);
  return build;
}

function ignoredOptions({ ignored, files }: AuthorConfig): Diagnostic[] {
  return ignored.map((name) => ({
    severity: 'warning' as const,
    code: 'IGNORED_OPTION',
    message: `"${name}" has no effect: the host ABI settles it`,
    ...(files[0] === undefined ? {} : { file: files[0] }),
  }));
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
