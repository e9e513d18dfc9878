import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goVersion, INTEROP_CACHE } from './go-program.ts';

const run = promisify(execFile);
const sources = join(import.meta.dirname, 'wagi');

/** A language whose compiler makes WASI commands. */
export interface Language {
  name: string;
  /** Why it cannot be tested here. */
  missing: string | undefined;
  /** Builds the program in this directory of `wagi`. */
  build(program: string): Promise<Uint8Array>;
}

const GO: Language = {
  name: 'Go',
  missing: goVersion === undefined ? 'Go is not installed' : undefined,
  build: (program) =>
    built(`${program}-go`, async (output) => {
      const env = { ...process.env, GOOS: 'wasip1', GOARCH: 'wasm' };
      await run('go', ['build', '-trimpath', '-o', output, '.'], { cwd: join(sources, program, 'go'), env });
    }),
};

// Debian keeps compiler-rt for WASI in a package of its own, and these programs need nothing of it.
const C_FLAGS = ['--target=wasm32-wasi', '--sysroot=/usr', '-O2', '-nodefaultlibs', '-L/usr/lib/wasm32-wasi'];
const C: Language = {
  name: 'C',
  missing: succeeds('clang', [...C_FLAGS, '-E', '-include', 'stdio.h', '-x', 'c', '/dev/null'])
    ? undefined
    : 'clang with wasi-libc is not installed',
  build: (program) =>
    built(`${program}-c`, async (output) => {
      await run('clang', [...C_FLAGS, '-o', output, join(sources, program, `c/${program}.c`), '-lc']);
    }),
};

const RUST: Language = {
  name: 'Rust',
  missing: hasRust() ? undefined : 'Rust with the target wasm32-wasip1 is not installed',
  build: (program) =>
    built(`${program}-rust`, async (output) => {
      const source = join(sources, program, `rust/${program}.rs`);
      await run('rustc', ['--target', 'wasm32-wasip1', '-O', '-o', output, source]);
    }),
};

export const LANGUAGES: readonly Language[] = [GO, C, RUST];

async function built(name: string, make: (output: string) => Promise<void>): Promise<Uint8Array> {
  mkdirSync(INTEROP_CACHE, { recursive: true });
  const output = join(INTEROP_CACHE, `wagi-${name}.wasm`);
  await make(output);
  return Uint8Array.from(await readFile(output));
}

function hasRust(): boolean {
  try {
    const root = execFileSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).trim();
    execFileSync('ls', [join(root, 'lib/rustlib/wasm32-wasip1/lib')]);
    return true;
  } catch {
    return false;
  }
}

function succeeds(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
