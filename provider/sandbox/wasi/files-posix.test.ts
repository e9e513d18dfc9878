import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryState } from '../../workbench/memory-state.ts';
import { close, mkdir, open, pread, pwrite, read, readdir, rename, resize, rmdir, runProgram } from './testing.ts';
import { seek, stat, sync, unlink, write, type Step } from './testing.ts';

/**
 * Goal: a program finds the files that POSIX promises it. Method: random calls are made on a directory of this machine
 * and by a WASI program on a state with the same files; every answer must be the same, and so must the files at the end.
 */
const PATHS = ['a', 'b', 'd', 'd/a', 'd/b', 'd/e', 'd/e/a', 'f/g', './a', 'd/../b', 'd/', 'a/', 'b/x', 'd//e'];
const path = fc.constantFrom(...PATHS);
const text = fc.string({ unit: fc.constantFrom('x', 'y', 'z'), maxLength: 12 });
const small = fc.nat(20);
const which = fc.nat(3);
const flags = fc.record({
  create: fc.boolean(),
  exclusive: fc.boolean(),
  truncate: fc.boolean(),
  append: fc.boolean(),
});
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('open' as const), path, flags, isReader: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('close' as const), which }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), which, text }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), which, length: small }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pwrite' as const), which, text, offset: small }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pread' as const), which, length: small, offset: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize' as const), which, size: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rewind' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sync' as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mkdir' as const), path }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rmdir' as const), path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unlink' as const), path }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rename' as const), path, to: path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('stat' as const), path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('list' as const), path }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** A directory of this machine, with what the program of the same calls would be told. */
class Machine {
  readonly root = fs.mkdtempSync(join(tmpdir(), 'posix-'));
  readonly steps: Step[] = [];
  readonly answers: unknown[] = [];
  /** By the number that the program has: the machine's, and where it is. */
  readonly #open = new Map<number, { fd: number; position: number; isAppending: boolean }>();

  constructor(files: Record<string, string>) {
    for (const [file, content] of Object.entries(files)) {
      fs.mkdirSync(join(this.root, file, '..'), { recursive: true });
      fs.writeFileSync(join(this.root, file), content);
    }
  }

  run(one: Action): void {
    if ('which' in one) this.#runOnFile(one);
    else this.#runOnPath(one);
  }

  #runOnFile(one: Extract<Action, { which: number }>): void {
    const number = [...this.#open.keys()][one.which];
    if (number === undefined) return;
    const file = this.#open.get(number)!;
    const { fd, position, isAppending } = file;
    const advance = (length: number): number => {
      file.position = position + length;
      return length;
    };
    if (one.kind === 'close') {
      this.#add(close(number), () => fs.closeSync(fd));
      this.#open.delete(number);
    }
    if (one.kind === 'sync') this.#add(sync(number), () => fs.fsyncSync(fd));
    if (one.kind === 'write') {
      this.#add(write(number, one.text), () => {
        if (one.text === '') return fs.writeSync(fd, '');
        const at = isAppending ? fs.fstatSync(fd).size : position;
        const written = fs.writeSync(fd, one.text, at);
        file.position = at + written;
        return written;
      });
    }
    // Where a file is appended to, Linux appends whatever the offset, which POSIX does not.
    if (one.kind === 'pwrite' && !isAppending) {
      this.#add(pwrite(number, one.offset, one.text), () => fs.writeSync(fd, one.text, one.offset));
    }
    if (one.kind === 'read' || one.kind === 'pread') {
      const buffer = Buffer.alloc(one.length);
      const from = one.kind === 'read' ? position : one.offset;
      this.#add(one.kind === 'read' ? read(number, one.length) : pread(number, one.offset, one.length), () => {
        const length = fs.readSync(fd, buffer, 0, one.length, from);
        if (one.kind === 'read') advance(length);
        return buffer.toString('latin1', 0, length);
      });
    }
    if (one.kind === 'resize') this.#add(resize(number, one.size), () => fs.ftruncateSync(fd, one.size));
    if (one.kind === 'rewind') {
      this.#add(seek(number, 0, 0), () => 0);
      file.position = 0;
    }
  }

  #runOnPath(one: Exclude<Action, { which: number }>): void {
    const full = `${this.root}/${one.path}`;
    if (one.kind === 'open') this.#openFile(one, full);
    if (one.kind === 'mkdir') this.#add(mkdir(one.path), () => fs.mkdirSync(full));
    if (one.kind === 'rmdir') this.#add(rmdir(one.path), () => fs.rmdirSync(full));
    if (one.kind === 'unlink') this.#add(unlink(one.path), () => fs.unlinkSync(full));
    if (one.kind === 'rename') {
      this.#add(rename(one.path, one.to), () => fs.renameSync(full, `${this.root}/${one.to}`));
    }
    if (one.kind === 'stat') {
      this.#add(stat(one.path), () => {
        const found = fs.statSync(full);
        return found.isDirectory() ? 'directory' : found.size;
      });
    }
    if (one.kind === 'list') {
      const number = this.#lowestFree();
      let isThere = false;
      this.#add(open(one.path, { directory: true }), () => {
        fs.closeSync(fs.openSync(full, fs.constants.O_DIRECTORY));
        isThere = true;
        return number;
      });
      if (!isThere) return;
      const entries = fs.readdirSync(full, { withFileTypes: true });
      const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
      this.#add(readdir(number), () => names.sort());
      this.#add(close(number), () => undefined);
    }
  }

  #openFile(one: Extract<Action, { kind: 'open' }>, full: string): void {
    const { create, exclusive, truncate, append } = one.flags;
    const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC } = fs.constants;
    // What it leaves open to whoever implements it.
    if ((truncate && one.isReader) || (exclusive && !create)) return;
    const number = this.#lowestFree();
    this.#add(open(one.path, { ...one.flags, read: one.isReader }), () => {
      const mode = (create ? O_CREAT : 0) | (exclusive ? O_EXCL : 0) | (truncate ? O_TRUNC : 0);
      const fd = fs.openSync(full, mode | (one.isReader ? O_RDONLY : O_RDWR));
      if (fs.fstatSync(fd).isDirectory()) {
        fs.closeSync(fd);
        this.steps.push(close(number));
        return number;
      }
      this.#open.set(number, { fd, position: 0, isAppending: append });
      return number;
    });
    if (this.steps.length > this.answers.length) this.answers.push('ok');
  }

  #lowestFree(): number {
    let number = 4;
    while (this.#open.has(number)) number += 1;
    return number;
  }

  #add(step: Step, act: () => unknown): void {
    this.steps.push(step);
    let answer: unknown;
    try {
      answer = act() ?? 'ok';
    } catch (error) {
      answer = (error as NodeJS.ErrnoException).code?.slice(1);
    }
    this.answers.push(answer);
  }

  files(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const entry of fs.readdirSync(this.root, { withFileTypes: true, recursive: true })) {
      const full = join(entry.parentPath, entry.name);
      if (entry.isFile()) found[full.slice(this.root.length + 1)] = fs.readFileSync(full, 'latin1');
    }
    return found;
  }

  end(): void {
    for (const { fd } of this.#open.values()) fs.closeSync(fd);
    fs.rmSync(this.root, { recursive: true });
  }
}

test('files are what they are on this machine, call by call', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const before = { a: 'first', 'd/a': 'second', 'd/e/a': 'third' };
      const machine = new Machine(before);
      try {
        for (const one of actions) machine.run(one);
        const state = new MemoryState(Object.entries(before).map(([file, content]) => [file, Buffer.from(content)]));
        const { answers, outcome } = runProgram(machine.steps, { state });
        expect(outcome.error).toBeUndefined();
        const told = (step: Step, answer: unknown): unknown =>
          // Of two things that are wrong POSIX does not say which is told.
          step.call === 'path_rename' && answer !== 'ok' ? 'refused' : answer;
        expect(answers.map((answer, i) => told(machine.steps[i]!, answer))).toEqual(
          machine.answers.map((answer, i) => told(machine.steps[i]!, answer)),
        );
        const after = state.paths().map((file) => [file, Buffer.from(state.file(file)!).toString('latin1')]);
        expect(Object.fromEntries(after)).toEqual(machine.files());
      } finally {
        machine.end();
      }
    }),
    { numRuns: 300, endOnFailure: true },
  );
});
