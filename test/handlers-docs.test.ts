import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { execute } from '../provider/sandbox/index.ts';
import { parseWat } from '../provider/sandbox/testing/modules.ts';
import { MemoryState } from '../provider/workbench/index.ts';
import { encodeInput } from '../sdk/protocol/index.ts';
import { directory } from './fixtures.ts';
import { loadModule, textOf } from './run-in-thread.ts';

/** Goal: the handlers without an SDK that docs/handlers.md shows work as they stand there. */
const page = await readFile(new URL('../docs/handlers.md', import.meta.url), 'utf8');

function sourceIn(language: string): string {
  const [, source = ''] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page) ?? [];
  expect(source).not.toBe('');
  return source;
}

function answer(wasm: Uint8Array, method: string, state = new MemoryState()): string {
  const seed = new Uint8Array(32);
  // Texts that a careless reader of the input would take for its fields.
  const fields = {
    path: '/method',
    query: 'method=POST',
    headers: { method: 'POST' },
    body: Buffer.from('fmethoddPOST'),
  };
  const outcome = execute({
    module: loadModule(wasm),
    input: encodeInput({ method, ...fields, timeMs: 0, seed }, 'caller'),
    seed,
    timeMs: 0,
    limits: { fuelMax: 1e8, memoryPagesMax: 16, outputBytesMax: 1000, timeoutMs: 1000 },
    state: { view: state, writable: method !== 'GET' },
  });
  expect(outcome.error).toBeUndefined();
  if (outcome.changes !== undefined) state.apply(outcome.changes);
  return textOf(outcome);
}

test('the one in WAT says hello', () => {
  expect(answer(parseWat(sourceIn('wat')), 'GET')).toBe('Hello from WAT\n');
});

test.skipIf(!hasClang())('the one in C counts visits (needs clang and lld)', async () => {
  const source = join(await directory(), 'visits.c');
  await writeFile(source, sourceIn('c'));
  const [, command = ''] = /^`(clang [^`]*visits\.c)`/m.exec(page) ?? [];
  const [clang = '', ...args] = command.split(' ');
  execFileSync(clang, args, { cwd: join(source, '..') });
  const wasm = Uint8Array.from(await readFile(join(source, '../visits.wasm')));
  const state = new MemoryState();
  expect(answer(wasm, 'GET', state)).toBe('0\n');
  for (let i = 1; i <= 12; i++) expect(answer(wasm, 'POST', state)).toBe(`${i}\n`);
  expect(answer(wasm, 'GET', state)).toBe('12\n');
  expect(Buffer.from(state.file('visits')!).toString()).toBe('12');
});

function hasClang(): boolean {
  try {
    execFileSync('sh', ['-c', 'clang --target=wasm32 --version && command -v wasm-ld'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
