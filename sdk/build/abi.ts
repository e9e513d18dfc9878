import type { Diagnostic } from './errors.ts';

/** What the host offers a handler under the import module `workswap`, ABI version 5. */
export const HOST_FUNCTIONS: ReadonlySet<string> = new Set([
  'input_size',
  'input_read',
  'output_write',
  'block_read',
  'block_size',
  'log',
  'fail',
  'time_ms',
  'random',
  'sha256',
  'ed25519_verify',
  'state_stat',
  'state_read',
  'state_write',
  'state_remove',
  'state_list',
  'send',
]);

const HINTS: readonly [prefix: string, hint: string][] = [
  ['env.process.', 'a handler has no process; take what it needs from the request'],
  ['env.memory', 'remove importMemory: the provider gives every handler a memory of its own'],
  ['env.table', 'remove importTable: a handler shares no functions with the host'],
  ['env.', 'the host offers nothing of a browser or of Node; use what the SDK exports'],
  [
    'wasi',
    'WASI is for commands with _start, not for handlers built with the SDK; such a handler reads its request and writes its response through the SDK',
  ],
  ['workswap.', 'the host has no function of this name; docs/handlers.md lists them all'],
];

/** Checks the module's border: a provider would refuse what is found here, so the author had better hear it now. */
export function checkBorder(module: WebAssembly.Module): Diagnostic[] {
  const problems: Diagnostic[] = [];
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (from === 'workswap' && kind === 'function' && HOST_FUNCTIONS.has(name)) continue;
    const full = `${from}.${name}`;
    const hint = HINTS.find(([prefix]) => full.startsWith(prefix))?.[1] ?? 'handlers may import from `workswap` only';
    problems.push({
      severity: 'error',
      code: 'FORBIDDEN_IMPORT',
      message: `the handler imports the ${kind} ${full}, which no provider links: ${hint}`,
    });
  }
  const exported = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  for (const [name, kind] of [
    ['memory', 'memory'],
    ['handle', 'function'],
  ] as const) {
    if (exported.get(name) === kind) continue;
    problems.push({
      severity: 'error',
      code: 'MISSING_EXPORT',
      message: `the module does not export the ${kind} ${name}`,
    });
  }
  return problems;
}
