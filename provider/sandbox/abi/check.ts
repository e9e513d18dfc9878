import { WorkswapError } from '../../../sdk/protocol/errors.ts';
import { CALL_SIGNATURES, IMPORT_MODULE } from './signatures.ts';

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

/** Checks imports against the host ABI, by name and by type, and the two exports that every handler has. */
export function assertAbi({ imports, exports }: ModuleShape): void {
  for (const item of imports) assertImport(item);
  assertExport(exports, 'memory', 'memory', 'a memory');
  const handle = assertExport(exports, 'handle', 'func', 'a function without parameters and results');
  if (signatureOf(handle) !== '() -> ()') {
    throw new AbiError(
      'MISSING_EXPORT',
      'handle',
      `The handler's export handle is ${signatureOf(handle)}; it must be () -> ().`,
    );
  }
}

function assertImport({ module, name, kind, params, results }: ModuleItem & { module: string }): void {
  const item = `${module}.${name}`;
  const expected = module === IMPORT_MODULE && kind === 'func' ? CALL_SIGNATURES.get(name) : undefined;
  if (expected === undefined) {
    const known = [...CALL_SIGNATURES.keys()].join(', ');
    throw new AbiError(
      'FORBIDDEN_IMPORT',
      item,
      `The handler imports ${item} (${kind}); it may import from "${IMPORT_MODULE}" only: ${known}.`,
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
