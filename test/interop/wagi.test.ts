import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { compileModule } from '../../provider/modules/index.ts';
import { createSandbox, type JobSpec } from '../../provider/sandbox/index.ts';
import { encodeInput } from '../../sdk/protocol/index.ts';
import { goVersion, INTEROP_CACHE } from './go-program.ts';

/**
 * Goal: programs of other languages that speak CGI run unchanged, and twice alike. Method: their own compilers build
 * them, the real pool runs them.
 */
const run = promisify(execFile);
const sources = join(import.meta.dirname, 'wagi');

async function buildGoPage(output: string): Promise<void> {
  const env = { ...process.env, GOOS: 'wasip1', GOARCH: 'wasm' };
  await run('go', ['build', '-trimpath', '-o', output, '.'], { cwd: join(sources, 'go'), env });
}

async function buildCPage(output: string): Promise<void> {
  // Debian keeps compiler-rt for WASI in a package of its own, and these pages need nothing of it.
  const flags = ['--target=wasm32-wasi', '--sysroot=/usr', '-O2', '-nodefaultlibs', '-L/usr/lib/wasm32-wasi'];
  await run('clang', [...flags, '-o', output, join(sources, 'c/page.c'), '-lc']);
}

function hasWasiC(): boolean {
  try {
    execFileSync('clang', [
      '--target=wasm32-wasi',
      '--sysroot=/usr',
      '-E',
      '-include',
      'stdio.h',
      '-x',
      'c',
      '/dev/null',
    ]);
    return true;
  } catch {
    return false;
  }
}

function jobOf(module: JobSpec['module'], path: string): JobSpec {
  const seed = new Uint8Array(32);
  const body = new TextEncoder().encode('hello');
  const timeMs = 1_700_000_000_000;
  return {
    module,
    input: encodeInput({ method: 'POST', path, query: 'a=1', headers: {}, body, timeMs, seed }, 'peer'),
    seed,
    timeMs,
    limits: { fuelMax: 1e9, memoryPagesMax: 1024, outputBytesMax: 1e6, timeoutMs: 20_000 },
  };
}

const languages: [name: string, missing: string | undefined, build: (output: string) => Promise<void>][] = [
  ['Go', goVersion === undefined ? 'Go is not installed' : undefined, buildGoPage],
  ['C', hasWasiC() ? undefined : 'clang with wasi-libc is not installed', buildCPage],
];

describe.each(languages)('a CGI program in %s', (name, missing, build) => {
  test.skipIf(missing !== undefined)(
    `answers, fails with its own words, and does both alike every time${missing === undefined ? '' : ` (${missing})`}`,
    async () => {
      mkdirSync(INTEROP_CACHE, { recursive: true });
      const output = join(INTEROP_CACHE, `wagi-${name}.wasm`);
      await build(output);
      const { cacheBytes: _, ...compiled } = compileModule(Uint8Array.from(await readFile(output)));
      const module = { cid: name, ...compiled };
      const sandbox = createSandbox({ threads: 1 });
      try {
        const first = await sandbox.run(jobOf(module, '/a%20b'));
        const again = await sandbox.run(jobOf(module, '/a%20b'));
        expect(first).toMatchObject({ status: 201, headers: { 'content-type': 'text/html' } });
        expect(first.error).toBeUndefined();
        expect(Buffer.from(first.body).toString()).toBe('<p>POST /a b?a=1</p><p>hello, 1700000000</p>');
        expect({ ...again, elapsedMs: 0 }).toEqual({ ...first, elapsedMs: 0 });
        expect((await sandbox.run(jobOf(module, '/fail'))).error).toMatchObject({
          code: 'HANDLER_FAILED',
          message: 'The handler exited with code 3: asked to fail',
        });
      } finally {
        await sandbox.close();
      }
    },
  );
});
