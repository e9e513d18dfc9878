import binaryen from 'binaryen';
import { compileModule } from '../../modules/index.ts';
import { CALL_SIGNATURES } from '../abi/signatures.ts';
import type { CallName } from '../abi/prices.ts';
import type { JobBudget, JobLimits, JobSpec, LoadedModule } from '../types.ts';

/** With GC, binaryen writes the null of tables as a type that only GC has. */
const FEATURES = binaryen.Features.All & ~binaryen.Features.GC;

/** A module from its text form. */
export function parseWat(text: string, features: number = FEATURES): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    module.setFeatures(features);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** The head `{status: 200, headers: {}}`; it lies at address 0 of every `handlerWat`. */
export const HEAD_BYTES = new Uint8Array(Buffer.from('a26673746174757318c86768656164657273a0', 'hex'));

export interface HandlerParts {
  /** Host calls to import, each under its name with a dollar sign. */
  imports?: CallName[];
  /** Pages: smallest and, where given, largest. */
  memory?: string;
  /** Whatever else stands in the module. */
  fields?: string;
  /** What `handle` does; `(call $ok)` writes the head. */
  body?: string;
}

/** The text of a handler around a few instructions. Its own data may start at address 64. */
export function handlerWat({
  imports = [],
  memory = '1',
  fields = '',
  body = '(call $ok)',
}: HandlerParts = {}): string {
  const calls = new Set<CallName>(['output_write', ...imports]);
  const head = [...HEAD_BYTES].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  return `(module
    ${[...calls].map(importWat).join('\n')}
    (memory $memory (export "memory") ${memory})
    (data $head (i32.const 0) "${head}")
    ${fields}
    (func $ok (call $output_write (i32.const 0) (i32.const ${HEAD_BYTES.length})))
    (func (export "handle") ${body}))`;
}

function importWat(name: CallName): string {
  const { params = [], results = [] } = CALL_SIGNATURES.get(name) ?? {};
  return `(import "workswap" "${name}" (func $${name} (param ${params.join(' ')}) (result ${results.join(' ')})))`;
}

/** A handler as the module loader would hand it over. */
export function loadWat(text: string): LoadedModule {
  return load(parseWat(text));
}

export function load(bytes: Uint8Array): LoadedModule {
  const { cacheBytes: _, ...compiled } = compileModule(bytes);
  return { cid: 'test', ...compiled };
}

export function loadHandler(parts: HandlerParts = {}): LoadedModule {
  return loadWat(handlerWat(parts));
}

export interface JobParts {
  input?: Uint8Array;
  seed?: Uint8Array;
  timeMs?: number;
  limits?: Partial<JobLimits>;
  budget?: JobBudget;
}

export function jobOf(module: LoadedModule, { input, seed, timeMs = 1000, limits, budget }: JobParts = {}): JobSpec {
  return {
    module,
    input: input ?? new Uint8Array([1, 2, 3, 4]),
    seed: seed ?? new Uint8Array(32),
    timeMs,
    limits: { fuelMax: 1e9, memoryPagesMax: 256, outputBytesMax: 1e6, timeoutMs: 20_000, ...limits },
    ...(budget === undefined ? {} : { budget }),
  };
}
