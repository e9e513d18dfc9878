import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryState } from '../../workbench/memory-state.ts';
import { ABI_LIMITS } from '../abi/limits.ts';
import { compareNames, decodeName, decodePath } from '../abi/state-path.ts';
import type { StateEntry, StateView } from '../types.ts';
import { JobState, type StateReader } from './job-state.ts';

/** Goal: a job sees its own changes over what it started from, exactly. Method: against a plain map of paths. */

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const segment = fc.constantFrom('a', 'b', 'ab', 'é', '\u{10000}', '\uffff');
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

type Step = { kind: 'write'; path: string; text: string } | { kind: 'remove'; path: string };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), path, text: fc.string({ maxLength: 5 }) }),
  fc.record({ kind: fc.constant('remove' as const), path }),
);

/** Files that can be together: none lies under another. */
function apply(model: Map<string, string>, { kind, path: at, ...rest }: Step): boolean {
  const below = [...model.keys()].filter((file) => file.startsWith(`${at}/`));
  if (kind === 'remove') {
    const found = model.delete(at) || below.length > 0;
    for (const file of below) model.delete(file);
    return found;
  }
  const parents = at.split('/').map((_, i, all) => all.slice(0, i).join('/'));
  if (below.length > 0 || parents.some((parent) => model.has(parent))) return false;
  model.set(at, (rest as { text: string }).text);
  return true;
}

const readerOf = (view: StateView): StateReader => view as unknown as StateReader;

function listAll(state: JobState, directory: string, pageMax: number): StateEntry[] | undefined {
  const all: StateEntry[] = [];
  for (let after = ''; ;) {
    const page: StateEntry[] = [];
    const listed = state.list(directory, after, (entry) => page.length < pageMax && page.push(entry) > 0);
    if (listed === undefined) return undefined;
    if (page.length === 0) return all;
    all.push(...page);
    after = page.at(-1)!.name;
  }
}

function expected(model: Map<string, string>, directory: string): StateEntry[] {
  const view = new MemoryState([...model].map(([file, text]) => [file, bytes(text)] as const));
  return view.list(directory, '', 1000)?.entries ?? [];
}

describe('the state of a job', () => {
  test('is the base with the changes over it, whatever they are, and so is what the changes lead to', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.array(step, { maxLength: 12 }), (before, steps) => {
        const model = new Map<string, string>();
        for (const one of before) apply(model, one);
        const base = new MemoryState([...model].map(([file, text]) => [file, bytes(text)] as const));
        const state = new JobState(readerOf(base), true);
        for (const one of steps) {
          const worked = apply(model, one);
          if (one.kind === 'remove') expect(state.remove(one.path, 0)).toBe(worked);
          else if (worked) state.write(one.path, bytes(one.text), 0);
          else expect(() => state.write(one.path, bytes(one.text), 0)).toThrow(/cannot be/);
        }
        const asked = [...new Set([...model.keys(), ...[...before, ...steps].map(({ path: at }) => at), 'a', 'b/a'])];
        for (const at of asked) {
          const text = model.get(at);
          const isDirectory = [...model.keys()].some((file) => file.startsWith(`${at}/`));
          const kind = text !== undefined ? 'file' : isDirectory ? 'directory' : undefined;
          expect(state.stat(at)?.kind, at).toBe(kind);
          const content = state.read(at, 0, 100);
          expect(content === undefined ? undefined : Buffer.from(content).toString(), at).toBe(text);
        }
        for (const directory of ['', 'a', 'a/b']) {
          const entries = expected(model, directory);
          const whole = listAll(state, directory, 2);
          if (directory === '' || entries.length > 0) expect(whole).toEqual(entries);
          else expect(whole).toBeUndefined();
        }
        const changes = state.changes();
        if (changes !== undefined) base.apply(changes);
        expect(base.paths()).toEqual([...model.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
      { numRuns: 2000 },
    );
  });

  test('is read-only in a query, and empty without a service', () => {
    expect(() => new JobState(undefined, false).assertWritable(0)).toThrow(
      expect.objectContaining({ code: 'READ_ONLY' }),
    );
    expect(new JobState(undefined, true).stat('a')).toBeUndefined();
    expect(new JobState(undefined, false).stat('')).toEqual({ kind: 'directory', size: 0 });
  });

  test('takes so many changes and so many bytes, and not one more', () => {
    const state = new JobState(undefined, true);
    for (let i = 0; i < ABI_LIMITS.changesMax; i++) state.remove('x', 0);
    expect(() => state.assertWritable(0)).toThrow(expect.objectContaining({ code: 'STATE_LIMIT' }));
    const full = new JobState(undefined, true);
    full.write('a', new Uint8Array(0), ABI_LIMITS.writtenBytesMax);
    expect(() => full.assertWritable(1)).toThrow(expect.objectContaining({ code: 'STATE_LIMIT' }));
  });
});

describe('paths', () => {
  test.each(['/a', 'a/', 'a//b', '.', '..', 'a/../b', 'a/./b', 'a\0b', 'x'.repeat(256), Array(34).join('a/') + 'a'])(
    'that no file can have end the job: %j',
    (text) => {
      expect(() => decodePath(bytes(text), true)).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
    },
  );

  test('that are not UTF-8, too long or empty end it as well', () => {
    for (const bad of [Uint8Array.of(0xff), Uint8Array.of(0xed, 0xa0, 0x80), bytes('a/'.repeat(600) + 'a')]) {
      expect(() => decodePath(bad, true)).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
    }
    expect(() => decodePath(bytes(''), false)).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
    expect(() => decodeName(bytes('a/b'))).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
    expect(decodePath(bytes('...'), true)).toBe('...');
  });

  test('are ordered as their bytes', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 6 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareNames(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 5000 },
    );
  });
});
