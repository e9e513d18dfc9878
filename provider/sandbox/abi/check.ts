import { WorkswapError } from '../../../sdk/protocol/errors.ts';
import { WASI_MODULE, WASI_SIGNATURES } from '../wasi/signatures.ts';
import { CALL_SIGNATURES, IMPORT_MODULE, type Signature } from './signatures.ts';

/** An import or export as the metering describes it; types of functions as text, such as `i32, i64`. */
export interface ModuleItem {
  name: string;
  kind: string;
  params?: string | undefined;
  results?: string | undefined;
}

export interface ModuleShape {
  imports: readonly (ModuleItem & { module: string })[];
  exports: readonly ModuleItem[];
}

/** A module that cannot run on this host ABI, whatever it is asked. */
export class AbiError extends WorkswapError {
  /** The import or export that is wrong. */
  readonly item: string;

  constructor(code: 'FORBIDDEN_IMPORT' | 'MISSING_EXPORT', item: string, message: string) {
    super(code, message, { fault: 'handler' });
    this.item = item;
  }
}

/**
 * True for a WASI command: it exports `_start`, no `handle`, and imports WASI. A module that has `handle` is a handler of
 * the ABI, whatever else it exports.
 */
export function isWasiCommand({ imports, exports }: ModuleShape): boolean {
  return (
    imports.some(({ module }) => module === WASI_MODULE) &&
    exports.some(({ name, kind }) => name === '_start' && kind === 'func') &&
    !exports.some(({ name }) => name === 'handle')
  );
}

/** True for a handler that takes messages. */
export function hasDeliver(shape: ModuleShape): boolean {
  return !isWasiCommand(shape) && shape.exports.some(({ name }) => name === DELIVER);
}

const DELIVER = 'deliver';

/** Checks imports against the host ABI, by name and by type, and the exports that it calls. */
export function assertAbi(shape: ModuleShape): void {
  const { imports, exports } = shape;
  const command = isWasiCommand(shape);
  for (const item of imports) assertImport(item, command);
  assertExport(exports, 'memory', 'memory', 'a memory');
  const entry = command ? '_start' : 'handle';
  assertEntry(exports, entry);
  if (hasDeliver(shape)) assertEntry(exports, DELIVER);
}

function assertEntry(exports: readonly ModuleItem[], name: string): void {
  const entry = assertExport(exports, name, 'func', 'a function without parameters and results');
  if (signatureOf(entry) === '() -> ()') return;
  throw new AbiError(
    'MISSING_EXPORT',
    name,
    `The handler's export ${name} is ${signatureOf(entry)}; it must be () -> ().`,
  );
}

const WASI_CALLS: ReadonlyMap<string, Signature> = new Map(Object.entries(WASI_SIGNATURES));

function assertImport(
  { module, name, kind, params, results }: ModuleItem & { module: string },
  command: boolean,
): void {
  const item = `${module}.${name}`;
  const calls = command ? WASI_CALLS : CALL_SIGNATURES;
  const from = command ? WASI_MODULE : IMPORT_MODULE;
  const expected = module === from && kind === 'func' ? calls.get(name) : undefined;
  if (expected === undefined) {
    const known = [...calls.keys()].join(', ');
    throw new AbiError(
      'FORBIDDEN_IMPORT',
      item,
      `The handler imports ${item} (${kind}); it may import from "${from}" only: ${known}.`,
    );
  }
  const actualText = signatureOf({ name, kind, params, results });
  const expectedText = `(${expected.params.join(', ')}) -> (${expected.results.join(', ')})`;
  if (actualText !== expectedText) {
    throw new AbiError(
      'FORBIDDEN_IMPORT',
      item,
      `The handler imports ${item} as ${actualText}; it is ${expectedText}.`,
    );
  }
}

function assertExport(exports: readonly ModuleItem[], name: string, kind: string, what: string): ModuleItem {
  const item = exports.find((candidate) => candidate.name === name && candidate.kind === kind);
  if (item === undefined) {
    throw new AbiError('MISSING_EXPORT', name, `The handler does not export "${name}", which must be ${what}.`);
  }
  return item;
}

function signatureOf({ params = '', results = '' }: ModuleItem): string {
  return `(${typesOf(params)}) -> (${typesOf(results)})`;
}

function typesOf(text: string): string {
  return (text.match(/[a-z]+\d*/g) ?? []).join(', ');
}
