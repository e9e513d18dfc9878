import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { checkBorder } from './abi.ts';
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

interface Cached {
  build: Build;
  sources: Map<string, string>;
}

/** Builds kept in memory; a test run or a development server uses a handful. */
const CACHED_MAX = 32;

const cache = new Map<string, Cached>();

/**
 * Compiles an author's AssemblyScript file, which exports `handle(req: Request): Response`, to the module that
 * providers run. The same sources give the same bytes, wherever they lie. Builds are kept in memory for as long as none
 * of their sources changes.
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
  await readFile(author).catch((cause: unknown) => {
    throw new BuildError(author, `${file}: cannot be read: ${reasonOf(cause)}`, [], cause);
  });
  const config = await loadConfig(path.dirname(author), debug ? 'debug' : 'release');
  const key = JSON.stringify([author, names, sourceMap, config.options]);
  const cached = cache.get(key);
  if (cached !== undefined && (await isUnchanged(cached.sources))) return copyOf(cached.build);

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
  cache.delete(key);
  cache.set(key, { build, sources: result.sources });
  for (const oldest of cache.keys()) {
    if (cache.size <= CACHED_MAX) break;
    cache.delete(oldest);
  }
  return copyOf(build);
}

/** Whoever changes the bytes they got must not change them for the next. */
function copyOf(build: Build): Build {
  return { ...build, wasm: build.wasm.slice() };
}

function ignoredOptions({ ignored, files }: AuthorConfig): Diagnostic[] {
  return ignored.map((name) => ({
    severity: 'warning' as const,
    code: 'IGNORED_OPTION',
    message: `"${name}" has no effect: the host ABI settles it`,
    ...(files[0] === undefined ? {} : { file: files[0] }),
  }));
}

async function isUnchanged(sources: Map<string, string>): Promise<boolean> {
  for (const [file, text] of sources) {
    if ((await readFile(file, 'utf8').catch(() => undefined)) !== text) return false;
  }
  return true;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
