import { expect, test } from 'vitest';
import { createSandbox, SandboxError } from '../provider/sandbox/index.ts';
import { jobOf, loadHandler } from '../provider/sandbox/testing/modules.ts';

/**
 * Goal: whoever cancels, and whenever, stops nothing but his job: not the process (Node has assertions that a termination
 * can fail), and not the pool. Method: jobs that do everything a thread can be stopped in, cancelled after so many turns
 * of the event loop as a fixed sequence of numbers says; pools closed while their threads start. The long suite (with
 * WORKSWAP_LONG=1) does it a hundred times as often.
 */
const LONG = process.env['WORKSWAP_LONG'] === '1';
const STOPS = LONG ? 10_000 : 100;
const CLOSES = LONG ? 1000 : 10;

/** xorshift: the same sequence every time. */
let state = 0x2545f491;
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

/** Short waits as often as long ones. */
async function someTurns(): Promise<void> {
  for (let i = random(2 ** random(13)); i >= 0; i--) await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

const functions = Array.from(
  { length: 2000 },
  (_, i) => `(func $f${i} (type $t) (i32.mul (local.get 0) (i32.const ${i})))`,
);
const modules = [
  // Functions are compiled when they are called first: two thousand compilations.
  loadHandler({
    fields: `(type $t (func (param i32) (result i32))) (table 2000 funcref) ${functions.join(' ')}
      (elem (i32.const 0) ${functions.map((_, i) => `$f${i}`).join(' ')})`,
    body: `(local $i i32) (loop $l
      (drop (call_indirect (type $t) (local.get $i) (i32.rem_u (local.get $i) (i32.const 2000))))
      (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l))`,
  }),
  loadHandler({
    memory: '1 1024',
    body: `(loop $l (drop (memory.grow (i32.const 1)))
      (memory.fill (i32.const 0) (i32.const 1) (i32.shl (memory.size) (i32.const 16))) (br $l))`,
  }),
  loadHandler({
    imports: ['sha256', 'random', 'log', 'time_ms'],
    memory: '64',
    body: `(loop $l (call $sha256 (i32.const 0) (i32.const 4000000) (i32.const 0)) (call $random (i32.const 0) (i32.const 1000))
      (call $log (i32.const 0) (i32.const 0) (i32.const 1000)) (drop (call $time_ms)) (br $l))`,
  }),
  loadHandler({
    imports: ['block_read'],
    fields: '(data (i32.const 1000) "\\01\\55\\00\\00")',
    body: `(loop $l
      (drop (call $block_read (i32.const 1000) (i32.const 4) (i64.const 0) (i32.const 2000) (i32.const 1000))) (br $l))`,
  }),
];
const jobs = modules.map((module) =>
  jobOf(module, { limits: { fuelMax: Number.MAX_SAFE_INTEGER, memoryPagesMax: 1024, timeoutMs: 60_000 } }),
);
const honest = jobOf(loadHandler());

test(`${STOPS} jobs cancelled at any moment: each ends as cancelled, and the pool serves on`, async () => {
  const sandbox = createSandbox({
    threads: 2,
    spareThreads: 1,
    readFile: async (_, __, length) => new Uint8Array(length),
  });
  for (let i = 0; i < STOPS || sandbox.stats().workersLost === 0; i++) {
    const controller = new AbortController();
    const job = jobs[random(jobs.length)] ?? honest;
    const ended = sandbox.run(job, { signal: controller.signal }).catch((error: unknown) => error);
    await someTurns();
    controller.abort();
    expect(await ended).toMatchObject({ code: 'JOB_CANCELLED' });
  }
  expect((await sandbox.run(honest)).error).toBeUndefined();
  while (sandbox.stats().memoryReservedBytes > 0) await turn();
  expect(sandbox.stats()).toMatchObject({ running: 0, waiting: 0, queued: 0, queuedBytes: 0 });
  await sandbox.close();
});

test(`${CLOSES} pools closed while their threads start: jobs end, and the process goes on`, async () => {
  for (let i = 0; i < CLOSES; i++) {
    const sandbox = createSandbox({ threads: 2, spareThreads: 1, closeTimeoutMs: 1 });
    const ended = sandbox.run(honest).catch((error: unknown) => error);
    await someTurns();
    await sandbox.close();
    const end = await ended;
    if (end instanceof SandboxError) expect(end.code).toBe('SANDBOX_CLOSED');
    else expect(end).toMatchObject({ status: 200 });
  }
});
