import { describe, expect, test } from 'vitest';
import { MemoryState } from '../../workbench/memory-state.ts';
import { ABI_LIMITS } from '../abi/limits.ts';
import { CALL_PRICES } from '../abi/prices.ts';
import { WASI_LIMITS } from './index.ts';
import { close, mkdir, open, OUT, pread, pwrite, read, readdir, rename, resize, rmdir, runProgram } from './testing.ts';
import { seek, stat, sync, unlink, write, type ProgramOptions, type Step } from './testing.ts';

/** Goal: the files of a program are its service's state, within the limits of a job. Method: calls of a module, in the real engine. */

function stateOf(files: Record<string, string>): MemoryState {
  return new MemoryState(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));
}

function contentOf(state: MemoryState): Record<string, string> {
  return Object.fromEntries(state.paths().map((path) => [path, Buffer.from(state.file(path)!).toString()]));
}

const answersOf = (steps: Step[], options?: ProgramOptions): unknown[] => runProgram(steps, options).answers;
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

describe('a program', () => {
  test('finds the state at fd 3 under the name /', () => {
    const prestat: Step = {
      call: 'fd_prestat_get',
      args: [3, OUT],
      outBytes: 8,
      decode: (out) => [out.readUInt32LE(0), out.readUInt32LE(4)],
    };
    const name: Step = {
      call: 'fd_prestat_dir_name',
      args: [3, OUT, 1],
      outBytes: 1,
      decode: (out) => out.toString('latin1', 0, 1),
    };
    const next: Step = { ...prestat, args: [4, OUT] };
    expect(answersOf([prestat, name, next])).toEqual([[0, 1], '/', 'BADF']);
  });

  test('writes files that are there for the next job, and directories only for their files', () => {
    const state = stateOf({ kept: 'x' });
    const steps = [mkdir('a'), mkdir('empty'), open('a/b', { create: true }), write(4, 'one', ' two'), stat('a/b')];
    expect(answersOf([...steps, readdir(3)], { state })).toEqual(['ok', 'ok', 4, 7, 7, ['a/', 'empty/', 'kept']]);
    expect(contentOf(state)).toEqual({ kept: 'x', 'a/b': 'one two' });
    expect(answersOf([stat('empty'), stat('a')], { state })).toEqual(['NOENT', 'directory']);
  });

  test('pays for what becomes of a file when it is closed, synced or left open, as for state_write', () => {
    const written = (...steps: Step[]): number =>
      runProgram([open('ab', { create: true }), ...steps]).outcome.writtenBytes;
    expect(written()).toBe(2);
    expect(written(write(4, 'xyz'))).toBe(2 + 5);
    expect(written(write(4, 'xyz'), close(4))).toBe(2 + 5);
    expect(written(write(4, 'x'), write(4, 'y'), sync(4), write(4, 'z'), close(4))).toBe(2 + 4 + 5);
    expect(written(write(4, 'xyz'), sync(4), sync(4))).toBe(2 + 5);
  });

  test('that fails changes nothing', () => {
    const state = stateOf({ a: 'before' });
    const exit: Step = { call: 'proc_exit', args: [1] };
    const { outcome } = runProgram([open('a'), write(4, 'after'), close(4), unlink('a'), exit], { state });
    expect(outcome.error?.code).toBe('HANDLER_FAILED');
    expect(contentOf(state)).toEqual({ a: 'before' });
  });

  test('reads a large file in pieces, and pays for the pieces', () => {
    const large = Buffer.alloc(300_000, 'abcdefg');
    const state = new MemoryState([['large', large]]);
    const fuelOf = (...steps: Step[]): number =>
      runProgram([open('large', { read: true }), ...steps], { state }).outcome.fuel;
    const { answers } = runProgram([open('large', { read: true }), pread(4, 65_530, 20), seek(4, -5, 2), read(4, 20)], {
      state,
    });
    expect(answers.slice(1)).toEqual([
      large.toString('latin1', 65_530, 65_550),
      299_995,
      large.toString('latin1', 299_995),
    ]);
    const once = fuelOf(pread(4, 0, 10)) - fuelOf();
    const again = fuelOf(pread(4, 0, 10), pread(4, 10, 10)) - fuelOf(pread(4, 0, 10));
    const price = CALL_PRICES.state_read;
    expect(once - again).toBe(price.fixed + price.perByte * WASI_LIMITS.readAheadBytes);
  });

  test('goes on in a directory where it was, whatever room it has, and whatever it removes there', () => {
    const names = Array.from({ length: 20 }, (_, i) => `name-${String(i).padStart(2, '0')}`);
    const state = stateOf(Object.fromEntries(names.map((name) => [name, ''])));
    // Three entries of 31 bytes and a part of the fourth.
    expect(answersOf([readdir(3, 100), readdir(3, 100, 3n), readdir(3, 100, 18n)], { state })).toEqual([
      [...names.slice(0, 3)],
      [...names.slice(3, 6)],
      [...names.slice(18)],
    ]);
    expect(answersOf([readdir(3, 120), readdir(3, 60, 0n)], { state })).toEqual([
      [...names.slice(0, 3), 'nam...'],
      [names[0], 'name-...'],
    ]);
    const removed = [readdir(3, 93), unlink('name-00'), unlink('name-02'), unlink('name-03'), readdir(3, 93, 3n)];
    expect(answersOf(removed, { state })[4]).toEqual(names.slice(4, 7));
    expect(answersOf([readdir(3, 93, 20n), readdir(3, 93, -1n), readdir(3, 0)], { state })).toEqual([[], [], []]);
  });

  test('keeps what it has open, also when it is removed or moved', () => {
    const state = stateOf({ a: 'first', b: 'second' });
    const steps = [open('a'), open('b'), unlink('a'), rename('b', 'c'), read(4), write(4, '!'), write(5, 'S')];
    expect(answersOf([...steps, pread(4, 0), stat('a'), stat('c')], { state }).slice(4)).toEqual([
      'first',
      1,
      1,
      'first!',
      'NOENT',
      6,
    ]);
    expect(contentOf(state)).toEqual({ c: 'Second' });
  });

  test('moves a directory with all in it', () => {
    const state = stateOf({ 'a/b/c': '1', 'a/d': '2', 'e/f': '3' });
    const steps = [
      mkdir('a/empty'),
      rename('a', 'e/x'),
      readdir(3),
      stat('e/x/empty'),
      rename('e', 'e/x'),
      rename('e', '.'),
    ];
    expect(answersOf(steps, { state }).slice(2)).toEqual([['e/'], 'directory', 'INVAL', 'NOTEMPTY']);
    expect(contentOf(state)).toEqual({ 'e/f': '3', 'e/x/b/c': '1', 'e/x/d': '2' });
  });

  test('gives its descriptors new numbers', () => {
    const move: Step = { call: 'fd_renumber', args: [5, 4] };
    const state = stateOf({ a: 'A', b: 'B' });
    expect(answersOf([open('a'), open('b'), move, read(4), read(5)], { state }).slice(2)).toEqual(['ok', 'B', 'BADF']);
  });
});

describe('a query', () => {
  const state = stateOf({ a: 'x', 'd/b': 'y' });
  test.each<[string, Step, string]>([
    ['opens nothing to write', open('a'), 'ROFS'],
    ['truncates nothing', open('a', { truncate: true, read: true }), 'ROFS'],
    ['creates nothing', open('new', { create: true, read: true }), 'ROFS'],
    ['makes no directory', mkdir('new'), 'ROFS'],
    ['removes no file', unlink('a'), 'ROFS'],
    ['removes no directory', rmdir('d'), 'ROFS'],
    ['renames nothing', rename('a', 'c'), 'ROFS'],
    ['writes to nothing that it may read', write(4, 'x'), 'BADF'],
    ['sizes nothing that it may read', resize(4, 0), 'INVAL'],
  ])('%s', (_, step, errno) => {
    const { answers, outcome } = runProgram([open('a', { read: true }), step, read(4)], { state, method: 'GET' });
    expect(answers).toEqual([4, errno, 'x']);
    expect(outcome.changes).toBeUndefined();
  });

  test('and a job without a service sees an empty state that it cannot write', () => {
    const steps = [readdir(3), stat('a'), open('a', { create: true })];
    expect(answersOf(steps, { isWithoutService: true })).toEqual([[], 'NOENT', 'ROFS']);
  });
});

describe('a path', () => {
  const state = stateOf({ a: 'x', 'd/b': 'y', 'd/e/f': 'z' });
  test.each<[string, string, unknown]>([
    ['that is absolute', '/a', 'NOTCAPABLE'],
    ['that leads out', '..', 'NOTCAPABLE'],
    ['that leads out and back', '../state/a', 'NOTCAPABLE'],
    ['that leads in and out', 'd/../../a', 'NOTCAPABLE'],
    ['that stays inside', 'd/../a', 1],
    ['through what is not there', 'x/../a', 'NOENT'],
    ['through a file', 'a/../a', 'NOTDIR'],
    ['below a file', 'a/b', 'NOTDIR'],
    ['of a file as a directory', 'a/', 'NOTDIR'],
    ['of a directory with a slash', 'd/', 'directory'],
    ['with many slashes', './/d///b', 1],
    ['that is empty', '', 'NOENT'],
    ['with NUL', 'a\0b', 'INVAL'],
    ['that is not UTF-8', '\xff\xfe', 'ILSEQ'],
    ['with half a surrogate', '\xed\xa0\x80', 'ILSEQ'],
    ['of 4 KiB', 'x'.repeat(4096), 'NAMETOOLONG'],
    ['with a name of 256 bytes', 'x'.repeat(256), 'NAMETOOLONG'],
    ['with a name of 255 bytes', 'x'.repeat(255), 'NOENT'],
    ['with a name of 128 letters and 256 bytes', utf8('é'.repeat(128)), 'NAMETOOLONG'],
    ['of 33 names', Array.from({ length: 33 }, () => 'x').join('/'), 'NAMETOOLONG'],
  ])('%s', (_, path, answer) => {
    expect(answersOf([stat(path)], { state })).toEqual([answer]);
  });

  test('does not lead out of the directory that it is seen from', () => {
    const steps = [
      open('d', { directory: true }),
      stat('../a', 4),
      stat('e/../b', 4),
      open('../a', { at: 4 }),
      stat('b', 7),
    ];
    expect(answersOf(steps, { state })).toEqual([4, 'NOTCAPABLE', 1, 'NOTCAPABLE', 'BADF']);
    expect(answersOf([open('a'), stat('b', 4), stat('b', 1)], { state }).slice(1)).toEqual(['NOTDIR', 'NOTDIR']);
  });

  test('of 32 names is made, and no deeper one', () => {
    const names = Array.from({ length: 32 }, () => 'x');
    const made = names.map((__, i) => mkdir(names.slice(0, i + 1).join('/')));
    const deepest = names.join('/');
    const answers = answersOf([
      ...made,
      mkdir('x', 3),
      mkdir(`${deepest}/x`),
      rmdir(deepest),
      open(deepest, { create: true }),
    ]);
    expect(answers.slice(-4)).toEqual(['EXIST', 'NAMETOOLONG', 'ok', 4]);
  });
});

describe('a limit', () => {
  test('of open files is an errno, and holds nothing else up', () => {
    const count = WASI_LIMITS.descriptorsMax - 4;
    const opened = Array.from({ length: count }, () => open('a'));
    const answers = answersOf([...opened, open('a'), open('new', { create: true }), close(20), open('a')], {
      state: stateOf({ a: '' }),
    });
    expect(answers.slice(count - 1)).toEqual([count + 3, 'MFILE', 'MFILE', 'ok', 20]);
  });

  test('of the size of a file is an errno', () => {
    const max = ABI_LIMITS.fileBytesMax;
    const steps = [open('a', { create: true }), resize(4, max + 1), pwrite(4, max, 'x'), pwrite(4, 2 ** 50, 'x')];
    const last = [seek(4, -1, 0), seek(4, 0, 3), resize(4, -1), pread(4, 2 ** 53 - 1)];
    expect(answersOf([...steps, ...last])).toEqual([4, 'FBIG', 'FBIG', 'FBIG', 'INVAL', 'INVAL', 'INVAL', '']);
  });

  test.each<[string, Step[]]>([
    [
      'written bytes',
      ['a', 'b'].flatMap((name) => [open(name, { create: true }), resize(4, ABI_LIMITS.fileBytesMax / 2), close(4)]),
    ],
    [
      'bytes held for open files',
      ['a', 'b', 'c'].flatMap((name, i) => [
        open(name, { create: true }),
        resize(4 + i, ABI_LIMITS.fileBytesMax),
        unlink(name),
      ]),
    ],
    [
      'changes',
      [
        open('a', { create: true }),
        ...Array.from({ length: ABI_LIMITS.changesMax }, () => [pwrite(4, 0, 'x'), sync(4)]).flat(),
      ],
    ],
  ])('of %s ends the job', (_, steps) => {
    expect(runProgram(steps).outcome.error?.code).toBe('STATE_LIMIT');
  });

  test('of the price ends the job before a file is saved', () => {
    const rates = { job: 0, compile: 0, input: 0, output: 0, read: 0, write: 1024 ** 2, fuel: 0, memory: 0 };
    const steps = [open('a', { create: true }), write(4, 'x'.repeat(1000))];
    expect(runProgram(steps, { budget: { rates, priceMax: 100_000, compiledBytes: 0 } }).outcome.error?.code).toBe(
      'PRICE_EXCEEDED',
    );
  });
});
