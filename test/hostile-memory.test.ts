import { afterAll, expect, test } from 'vitest';
import { createSandbox, SandboxError } from '../provider/sandbox/index.ts';
import { jobOf, loadHandler } from '../provider/sandbox/testing/modules.ts';

/**
 * Goal: the provider's memory stays under a bound that follows from its limits, whatever handlers do with theirs. Method:
 * storms of jobs that take all they may and leave it to the garbage collector, while resident memory is watched.
 */
const MIB = 1024 * 1024;
const PAGES_MAX = 1024;
const sandbox = createSandbox({ threads: 2, spareThreads: 1, queueMax: 10_000, queuePerConsumerMax: 10_000 });
afterAll(() => sandbox.close());

/** What two jobs hold, what three workers may leave behind before they collect, and what a worker itself takes. */
const BOUND_BYTES = 2 * 64 * MIB + 3 * (64 + 64 + 32) * MIB + 200 * MIB;

async function peakOf(storm: () => Promise<unknown>): Promise<number> {
  await sandbox.run(jobOf(loadHandler()));
  const before = process.memoryUsage.rss();
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss() - before);
  }, 5);
  try {
    await storm();
  } finally {
    clearInterval(watch);
  }
  return peak;
}

const limits = { memoryPagesMax: PAGES_MAX, outputBytesMax: 1000 };
const growAll = '(drop (memory.grow (i32.const 1023)))';
const touchAll = '(memory.fill (i32.const 0) (i32.const 7) (i32.const 67108864))';

test.each([
  ['grow to 64 MB, touch all of it and trap', { body: `${growAll} ${touchAll} (unreachable)` }, 60],
  ['grow to 64 MB, touch all of it and succeed', { body: `(call $ok) ${growAll} ${touchAll}` }, 60],
  ['start with 64 MB and touch all of it', { memory: '1024', body: `(call $ok) ${touchAll}` }, 60],
  [
    'start with 1 MB and trap',
    { memory: '16', body: '(memory.fill (i32.const 0) (i32.const 1) (i32.const 1048576)) (unreachable)' },
    2000,
  ],
  ['trap at once', { body: '(unreachable)' }, 5000],
])('jobs that %s stay under the bound', async (_, parts, count) => {
  const module = loadHandler(parts);
  const ends = new Set<string | undefined>();
  const peak = await peakOf(async () => {
    const jobs = Array.from({ length: count }, async () => {
      const { error } = await sandbox.run(jobOf(module, { limits }));
      ends.add(error?.code);
    });
    await Promise.all(jobs);
  });
  expect(ends).toEqual(new Set([parts.body.includes('unreachable') ? 'TRAP' : undefined]));
  expect(peak).toBeLessThan(BOUND_BYTES);
});

test('many different modules stay under the bound of the caches', async () => {
  const peak = await peakOf(async () => {
    for (let i = 0; i < 200; i++) {
      const module = loadHandler({ memory: '16', fields: `(data (i32.const 70000) "${'x'.repeat(10_000)}${i}")` });
      expect((await sandbox.run(jobOf(module))).error).toBeUndefined();
    }
  });
  expect(peak).toBeLessThan(BOUND_BYTES);
});

test('more memory than the pool has is refused before anything runs', async () => {
  const small = createSandbox({ threads: 1, spareThreads: 0, memoryBytesMax: 16 * MIB });
  const refused = small.run(jobOf(loadHandler(), { limits }));
  await expect(refused).rejects.toBeInstanceOf(SandboxError);
  await expect(refused).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', fault: 'consumer' });
  await small.close();
});
