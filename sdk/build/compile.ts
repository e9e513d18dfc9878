import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as asc from 'assemblyscript/asc';
import type { Sources } from './cache.ts';
import type { AscOptions } from './config.ts';
import {
  DELIVER_ENTRY_FILE,
  DELIVER_SIGNATURE,
  ENTRY_FILE,
  GLOBAL_ALIASES,
  HANDLE_SIGNATURE,
  REPLACED_LIBRARY_FILES,
  deliverEntrySource,
  entrySource,
} from './entry.ts';
import { exportsName, type ParsedSource } from './exports.ts';
import type { Diagnostic } from './errors.ts';
import { SDK_DIRECTORY, displayPath, sourcePath } from './paths.ts';

export interface CompileTask {
  /** Absolute path of the author's file. */
  file: string;
  options: AscOptions;
  /** Write a source map too. */
  sourceMap: boolean;
}

export interface CompileResult {
  /** Absent when there are errors. */
  wasm?: Uint8Array;
  sourceMap?: string;
  diagnostics: Diagnostic[];
  /** Every file that the compiler asked for: the result holds as long as they stay as they are. */
  sources: Sources;
  /** What went wrong where no diagnostic says it. */
  failure?: string;
}

/** Compiles one handler with the AssemblyScript compiler. One at a time: the compiler keeps state of its own. */
export async function compile(task: CompileTask): Promise<CompileResult> {
  const baseDirectory = path.dirname(task.file);
  const module = path.basename(task.file, '.ts');
  const entry = entrySource(module);
  const sources = new Map<string, string | null>();
  const diagnostics: Diagnostic[] = [];
  let wasm: Uint8Array | undefined;
  let sourceMap: string | undefined;

  async function read(name: string, directory: string): Promise<string | null> {
    if (name === ENTRY_FILE) return entry;
    const file = sourcePath(name, directory);
    try {
      const text = await readFile(file, 'utf8');
      sources.set(file, text);
      return text;
    } catch {
      sources.set(file, null);
      return null;
    }
  }

  for (const [name, replacement] of Object.entries(REPLACED_LIBRARY_FILES)) {
    const text = await read(replacement, SDK_DIRECTORY);
    if (text === null) throw new Error(`${replacement} is missing from the SDK in ${SDK_DIRECTORY}`);
    asc.libraryFiles[name] = text;
  }
  const args = toArguments({
    ...task.options,
    use: [...list(task.options['use']), ...Object.entries(GLOBAL_ALIASES).map(([name, to]) => `${name}=${to}`)],
    baseDir: baseDirectory,
    // The options are complete: keep the compiler from looking for a file of its own.
    config: 'no-asconfig.json',
    outFile: 'handler.wasm',
    // Names do not change the code, and whoever does not want them strips them.
    debug: true,
    sourceMap: task.sourceMap,
  });
  const { error, stderr } = await asc.main([ENTRY_FILE, ...args], {
    readFile: read,
    writeFile: (_name, contents) => {
      if (typeof contents === 'string') sourceMap = contents;
      else wasm = contents;
    },
    listFiles: () => [],
    transforms: [{ afterParse: (parser: Parser) => addDeliver(parser, module) }] as never,
    reportDiagnostic: (message) => {
      diagnostics.push(toDiagnostic(message, task.file, (file) => sources.get(file)));
    },
  });
  if (error !== null) {
    const failure = diagnostics.some(({ severity }) => severity === 'error') ? {} : { failure: String(stderr) };
    return { diagnostics, sources, ...failure };
  }
  return {
    diagnostics,
    sources,
    ...(wasm === undefined ? { failure: String(stderr) } : { wasm }),
    ...(task.sourceMap && sourceMap !== undefined ? { sourceMap } : {}),
  };
}

/** The part of the compiler's parser that is used here. */
interface Parser {
  sources: ParsedSource[];
  parseFile(text: string, path: string, isEntry: boolean): void;
}

/** A handler need not take messages, and the compiler has no export that depends on another: so this is a second entry. */
function addDeliver(parser: Parser, module: string): void {
  const author = parser.sources.find(({ normalizedPath }) => normalizedPath === `${module}.ts`);
  if (author === undefined || !exportsName(author, 'deliver')) return;
  parser.parseFile(deliverEntrySource(module), DELIVER_ENTRY_FILE, true);
}

const SEVERITIES = ['info', 'info', 'warning', 'error'] as const;

const WANTED: Record<string, string> = {
  [ENTRY_FILE]: `A handler must \`${HANDLE_SIGNATURE}\`.`,
  [DELIVER_ENTRY_FILE]: `A handler that takes messages must \`${DELIVER_SIGNATURE}\`.`,
};

function toDiagnostic(
  { category, code, message, range }: asc.DiagnosticMessage,
  authorFile: string,
  sourceOf: (file: string) => string | null | undefined,
): Diagnostic {
  const prefix = code >= 1000 ? 'TS' : 'AS';
  const diagnostic: Diagnostic = { severity: SEVERITIES[category] ?? 'error', code: `${prefix}${code}`, message };
  if (range === null) return diagnostic;
  const wanted = WANTED[range.source.normalizedPath];
  // The entries are ours, so what is wrong with them is what they found in the author's file.
  if (wanted !== undefined) return { ...diagnostic, file: authorFile, message: `${message}. ${wanted}` };
  const file = displayPath(range.source.normalizedPath, path.dirname(authorFile));
  const before = (sourceOf(file) ?? '').slice(0, range.start).split('\n');
  return { ...diagnostic, file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function toArguments(options: AscOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return value ? [`--${name}`] : [];
    return (Array.isArray(value) ? value : [value]).flatMap((item) => [`--${name}`, String(item)]);
  });
}

function list(value: AscOptions[string] | undefined): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : String(value).split(',');
}
