import { describe, expect, test } from 'vitest';
import { compileModule } from '../../provider/modules/index.ts';
import { createSandbox, type JobSpec } from '../../provider/sandbox/index.ts';
import { encodeInput } from '../../sdk/protocol/index.ts';
import { LANGUAGES } from './wasi-programs.ts';

/**
 * Goal: programs of other languages that speak CGI run unchanged, and twice alike. Method: their own compilers build
 * them, the real pool runs them.
 */
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

describe.each(LANGUAGES)('a CGI program in $name', ({ name, missing, build }) => {
  test.skipIf(missing !== undefined)(
    `answers, fails with its own words, and does both alike every time${missing === undefined ? '' : ` (${missing})`}`,
    async () => {
      const { cacheBytes: _, ...compiled } = compileModule(await build('page'));
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
