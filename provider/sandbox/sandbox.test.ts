import { afterEach, describe, expect, test } from 'vitest';
import { SandboxError } from './errors.ts';
import { execute } from './execute.ts';
import { createSandbox, type SandboxOptions } from './sandbox.ts';
import { jobOf, loadHandler, type JobParts } from './testing/modules.ts';
import type { Outcome, Sandbox } from './types.ts';

/** Handlers that the tests share: compiled once. */
const hello = loadHandler();
const endless = loadHandler({ body: '(loop $l (br $l))' });
/** Answers at once, or, when the input's first byte is set, never. */
const sometimesEndless = loadHandler({
  imports: ['input_read'],
  body: `(drop (call $input_read (i32.const 64) (i32.const 0) (i32.const 4)))
    (if (i32.load8_u (i32.const 64)) (then (loop $l (br $l))))
    (call $ok) (call $output_write (i32.const 64) (i32.const 4))`,
});
const echo = loadHandler({
  imports: ['input_read', 'input_size'],
  memory: '200',
  body: `(drop (call $input_read (i32.const 1024) (i32.const 0) (call $input_size)))
    (call $ok) (call $output_write (i32.const 1024) (call $input_size))`,
});
const CID = Uint8Array.of(1, 0x55, 0x12, 32, ...new Uint8Array(32).fill(7));
const cidText = [...CID].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
/** Reads its whole file in steps of 1000 bytes and answers with the number of bytes. */
const reader = loadHandler({
  imports: ['block_read', 'block_size'],
  fields: `(data (i32.const 1000) "${cidText}") (global $sum (mut i64) (i64.const 0))`,
  body: `(local $n i32)
    (loop $more
      (local.set $n (call $block_read (i32.const 1000) (i32.const 36) (global.get $sum) (i32.const 4096) (i32.const 1000)))
      (global.set $sum (i64.add (global.get $sum) (i64.extend_i32_u (local.get $n))))
      (br_if $more (local.get $n)))
    (i64.store (i32.const 2000) (global.get $sum))
    (i64.store (i32.const 2008) (call $block_size (i32.const 1000) (i32.const 36)))
    (call $ok) (call $output_write (i32.const 2000) (i32.const 16))`,
});

const FOREVER = Number.MAX_SAFE_INTEGER;
const endlessJob = (parts: JobParts = {}): ReturnType<typeof jobOf> =>
  jobOf(endless, { ...parts, limits: { fuelMax: FOREVER, ...parts.limits } });

const open: Sandbox[] = [];
function sandbox(options: SandboxOptions = {}): Sandbox {
  const created = createSandbox({ threads: 1, spareThreads: 1, closeTimeoutMs: 1, ...options });
  open.push(created);
  return created;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function rejection(promise: Promise<Outcome>): Promise<SandboxError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SandboxError);
  return error as SandboxError;
}

/** Resolves when `condition` holds; looks after every turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    const { promise, resolve } = Promise.withResolvers<void>();
    setImmediate(resolve);
    await promise;
  }
}

describe('a job in the pool', () => {
  test('has the outcome that the same task has anywhere', async () => {
    const job = jobOf(echo, { input: Uint8Array.from({ length: 5000 }, (_, i) => i), timeMs: 5 });
    const pooled = await sandbox().run(job);
    expect({ ...pooled, elapsedMs: 0 }).toEqual({ ...execute(job), elapsedMs: 0 });
    expect(pooled.body).toEqual(job.input);
  });

  test('may have a large input and a large output', async () => {
    const input = new Uint8Array(8 * 1024 * 1024).map((_, i) => i >> 8);
    const outcome = await sandbox().run(jobOf(echo, { input, limits: { outputBytesMax: 9_000_000 } }));
    expect(outcome.error).toBeUndefined();
    expect(Buffer.compare(outcome.body, input)).toBe(0);
    expect(input.length).toBe(8 * 1024 * 1024);
  });

  test('fails as the handler failed, and the next one runs', async () => {
    const pool = sandbox();
    const failing = loadHandler({ body: '(unreachable)' });
    expect((await pool.run(jobOf(failing))).error).toMatchObject({ code: 'TRAP', fault: 'handler' });
    expect((await pool.run(endlessJob({ limits: { fuelMax: 1e6 } }))).error).toMatchObject({ code: 'OUT_OF_FUEL' });
    expect((await pool.run(jobOf(hello))).error).toBeUndefined();
    expect(pool.stats()).toMatchObject({ finished: 3, failed: 2, workersLost: 0, running: 0, memoryReservedBytes: 0 });
  });

  test('comes back right a thousand times over', async () => {
    const pool = sandbox({ threads: 2 });
    const inputs = Array.from({ length: 1000 }, (_, i) => Uint8Array.of(0, i & 255, i >> 8, 7));
    const outcomes = await Promise.all(inputs.map((input) => pool.run(jobOf(sometimesEndless, { input }))));
    expect(outcomes.map(({ body }) => [...body])).toEqual(inputs.map((input) => [...input]));
  });
});

describe('a job that overruns', () => {
  test('is stopped at its deadline, and others go on', async () => {
    const pool = sandbox({ threads: 2 });
    const stuck = rejection(pool.run(endlessJob({ limits: { timeoutMs: 50 } })));
    const others = await Promise.all(Array.from({ length: 20 }, () => pool.run(jobOf(hello))));
    expect(others.every(({ error }) => error === undefined)).toBe(true);
    const error = await stuck;
    expect(error).toMatchObject({ code: 'JOB_TIMEOUT', fault: 'handler' });
    expect(error.elapsedMs).toBeGreaterThanOrEqual(50);
    expect(pool.stats().workersLost).toBe(1);
    expect((await pool.run(jobOf(hello))).error).toBeUndefined();
  });

  test.each([
    ['an empty loop', '', '(loop $l (br $l))'],
    [
      'a loop around a fill of 8 MB',
      '',
      '(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 8388608)) (br $l))',
    ],
    [
      'a loop around a copy of 8 MB',
      '',
      '(loop $l (memory.copy (i32.const 0) (i32.const 64) (i32.const 8388000)) (br $l))',
    ],
    ['a loop around memory.grow', '', '(loop $l (drop (memory.grow (i32.const 0))) (br $l))'],
    ['a loop around host calls', '', '(loop $l (call $log (i32.const 0) (i32.const 0) (i32.const 1000)) (br $l))'],
    ['nested loops', '', '(loop $a (loop $b (loop $c (br $b))))'],
  ])('is stopped in %s, by deadline and by cancellation', async (_, fields, body) => {
    const pool = sandbox();
    const module = loadHandler({ imports: ['log'], memory: '200 200', fields, body });
    const job = (timeoutMs: number): ReturnType<typeof jobOf> =>
      jobOf(module, { limits: { fuelMax: FOREVER, timeoutMs } });
    expect(await rejection(pool.run(job(30)))).toMatchObject({ code: 'JOB_TIMEOUT' });
    const controller = new AbortController();
    const running = rejection(pool.run(job(20_000), { signal: controller.signal }));
    await until(() => pool.stats().running === 1);
    controller.abort();
    expect(await running).toMatchObject({ code: 'JOB_CANCELLED' });
    expect((await pool.run(jobOf(hello))).error).toBeUndefined();
  });
});

describe('cancelling', () => {
  test('a queued job costs nothing and runs never', async () => {
    const pool = sandbox();
    const blocker = new AbortController();
    const first = rejection(pool.run(endlessJob(), { signal: blocker.signal }));
    const controller = new AbortController();
    const queued = rejection(pool.run(jobOf(hello), { signal: controller.signal }));
    await until(() => pool.stats().running === 1);
    controller.abort(new Error('changed my mind'));
    const error = await queued;
    expect(error).toMatchObject({ code: 'JOB_CANCELLED', fault: 'consumer', elapsedMs: 0 });
    expect(error.cause).toMatchObject({ message: 'changed my mind' });
    expect(pool.stats().queued).toBe(0);
    blocker.abort();
    await first;
  });

  test('with a signal that is aborted already refuses at once', async () => {
    const pool = sandbox();
    expect(await rejection(pool.run(jobOf(hello), { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'JOB_CANCELLED',
    });
    expect(pool.stats().batches).toBe(0);
  });

  test('a running job says how long it ran', async () => {
    const { promise: reading, resolve } = Promise.withResolvers<void>();
    const pool = sandbox({
      readFile: () => {
        resolve();
        return new Promise(() => {});
      },
    });
    const controller = new AbortController();
    const running = rejection(pool.run(jobOf(reader), { signal: controller.signal }));
    await reading;
    controller.abort();
    expect((await running).elapsedMs).toBeGreaterThan(0);
  });
});

describe('blocks', () => {
  const FILE = new Uint8Array(600_000).fill(9);

  test('are read through the main thread, in windows', async () => {
    const asked: [number, number, string | undefined][] = [];
    const pool = sandbox({
      readFile: async (cid, offset, length, _, consumer) => {
        expect(cid).toEqual(CID);
        asked.push([offset, length, consumer]);
        return FILE.subarray(offset, offset + length);
      },
      fileSize: async () => FILE.length,
    });
    const outcome = await pool.run(jobOf(reader), { consumer: 'peer' });
    expect(outcome.error).toBeUndefined();
    expect([...new BigUint64Array(outcome.body.slice().buffer)]).toEqual([600_000n, 600_000n]);
    expect(outcome.readBytes).toBe(600_000);
    expect(asked.length).toBeLessThan(8);
    expect(asked[0]).toEqual([0, 256 * 1024, 'peer']);
  });

  test('burn the same fuel whatever the windows are', async () => {
    const pool = sandbox({
      readFile: async (_, offset, length) => FILE.slice(offset, offset + length),
      fileSize: async () => FILE.length,
    });
    const pooled = await pool.run(jobOf(reader));
    const { createNodeHost } = await import('./node-host.ts');
    const host = createNodeHost({
      readFile: (_, offset, length) => FILE.slice(offset, offset + length),
      fileSize: () => FILE.length,
    });
    expect({ ...pooled, elapsedMs: 0 }).toEqual({ ...execute(jobOf(reader), host), elapsedMs: 0 });
  });

  test.each([1, 2])('that %i jobs wait for hold up nobody else', async (count) => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const pool = sandbox({
      spareThreads: count,
      readFile: async (_, offset, length) => {
        await arrived;
        return FILE.slice(offset, offset + length);
      },
      fileSize: async () => FILE.length,
    });
    const waiting = Array.from({ length: count }, () => pool.run(jobOf(reader)));
    await until(() => pool.stats().waiting === count);
    expect((await pool.run(jobOf(hello))).error).toBeUndefined();
    arrive();
    for (const each of waiting) expect((await each).error).toBeUndefined();
    expect(pool.stats().waiting).toBe(0);
  });

  test('that do not come in time end the job without an outcome', async () => {
    const stopped: unknown[] = [];
    const never = (signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          stopped.push(signal.reason);
          reject(signal.reason as Error);
        });
      });
    const options: SandboxOptions = { readFile: (_, __, ___, signal) => never(signal) };
    const late = await rejection(sandbox({ ...options, blockTimeoutMs: 20 }).run(jobOf(reader)));
    expect(late).toMatchObject({ code: 'BLOCK_UNAVAILABLE', fault: 'provider', retryable: true });
    const deadline = await rejection(sandbox(options).run(jobOf(reader, { limits: { timeoutMs: 1000 } })));
    expect(deadline).toMatchObject({ code: 'BLOCK_UNAVAILABLE', retryable: true });
    expect(deadline.elapsedMs).toBeGreaterThanOrEqual(1000);
    expect(stopped).toHaveLength(2);
  });

  test('are no longer fetched when the job is cancelled', async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const pool = sandbox({
      readFile: (_, __, ___, signal) => {
        signal.addEventListener('abort', () => resolve());
        return new Promise(() => {});
      },
    });
    const controller = new AbortController();
    const running = rejection(pool.run(jobOf(reader), { signal: controller.signal }));
    await until(() => pool.stats().waiting === 1);
    controller.abort();
    await aborted;
    expect(await running).toMatchObject({ code: 'JOB_CANCELLED' });
  });

  test('that fail say why, and one that is no file is the task’s own fault', async () => {
    const failing = (error: unknown): Sandbox => sandbox({ readFile: () => Promise.reject(error) });
    // What is not ours to tell may name a local path.
    expect(await rejection(failing(new Error('/srv/blocks is broken')).run(jobOf(reader)))).toMatchObject({
      code: 'BLOCK_UNAVAILABLE',
      message: 'The block is not available: this provider failed to read it',
    });
    const { NotAFileError } = await import('../store/index.ts');
    const { CID: Cid } = await import('multiformats/cid');
    const outcome = await failing(new NotAFileError(Cid.decode(CID), 'a directory')).run(jobOf(reader));
    expect(outcome.error?.code).toBe('NOT_A_FILE');
    expect(await rejection(sandbox().run(jobOf(reader)))).toMatchObject({ code: 'BLOCK_UNAVAILABLE' });
  });
});

describe('the queue', () => {
  /** Holds the only worker until the returned function is called. */
  async function hold(pool: Sandbox): Promise<() => Promise<void>> {
    const controller = new AbortController();
    const held = rejection(pool.run(endlessJob(), { signal: controller.signal, consumer: 'holder' }));
    await until(() => pool.stats().running === 1);
    return async () => {
      controller.abort();
      await held;
    };
  }

  test('refuses with figures when it is full', async () => {
    const pool = sandbox({ queueMax: 3 });
    const release = await hold(pool);
    const queued = Array.from({ length: 3 }, () => pool.run(jobOf(hello)));
    const error = await rejection(pool.run(jobOf(hello)));
    expect(error).toMatchObject({ code: 'QUEUE_FULL', fault: 'provider', retryable: true, queued: 3, queuedMax: 3 });
    await release();
    expect((await Promise.all(queued)).every((outcome) => outcome.error === undefined)).toBe(true);
    expect(pool.stats().rejected).toEqual({ QUEUE_FULL: 1, JOB_CANCELLED: 1 });
  });

  test('gives one consumer no more than its part, in jobs and in bytes', async () => {
    const pool = sandbox({ queuePerConsumerMax: 2, queueBytesMax: 1000 });
    const release = await hold(pool);
    const run = (consumer: string, bytes = 10): Promise<Outcome> =>
      pool.run(jobOf(hello, { input: new Uint8Array(bytes) }), { consumer });
    const queued = [run('a'), run('a')];
    expect(await rejection(run('a'))).toMatchObject({ code: 'QUEUE_FULL', queuedMax: 2 });
    queued.push(run('b', 500));
    expect(await rejection(run('c', 600))).toMatchObject({ code: 'QUEUE_FULL', queuedMax: 1000 });
    await release();
    await Promise.all(queued);
  });

  test('takes turns between consumers, however much one of them asks for', async () => {
    const pool = sandbox({ batchMax: 1 });
    const release = await hold(pool);
    const order: string[] = [];
    const run = async (consumer: string): Promise<void> => {
      await pool.run(jobOf(hello), { consumer });
      order.push(consumer);
    };
    const all = [...Array.from({ length: 40 }, () => run('greedy')), ...Array.from({ length: 5 }, () => run('modest'))];
    await release();
    await Promise.all(all);
    // After one greedy job the modest consumer has had less, whatever the jobs take.
    expect(order.indexOf('modest')).toBeLessThanOrEqual(1);
    expect(order).toHaveLength(45);
  });

  test('starts jobs of a higher priority first', async () => {
    const pool = sandbox({ batchMax: 1 });
    const release = await hold(pool);
    const order: number[] = [];
    const run = async (priority: number): Promise<void> => {
      await pool.run(jobOf(hello), { priority });
      order.push(priority);
    };
    const all = [0, 0, 3, 7, 3].map(run);
    await release();
    await Promise.all(all);
    expect(order).toEqual([7, 3, 3, 0, 0]);
  });

  test('holds a job back until there is memory for it', async () => {
    const memoryBytesMax = 30 * 65_536 + 3_000_000;
    const pool = sandbox({ threads: 2, memoryBytesMax });
    const release = await hold2(pool);
    const big = pool.run(jobOf(hello, { limits: { memoryPagesMax: 20, outputBytesMax: 0 + 1000 } }));
    await until(() => pool.stats().queued === 1);
    expect(pool.stats().memoryReservedBytes).toBeLessThanOrEqual(memoryBytesMax);
    await release();
    expect((await big).error).toBeUndefined();

    async function hold2(target: Sandbox): Promise<() => Promise<void>> {
      const controller = new AbortController();
      const job = endlessJob({ limits: { memoryPagesMax: 60, outputBytesMax: 1000 } });
      const held = rejection(target.run(job, { signal: controller.signal }));
      await until(() => target.stats().running === 1);
      return async () => {
        controller.abort();
        await held;
      };
    }
  });
});

describe('what is not possible here is refused at once', () => {
  test.each<[string, JobParts]>([
    ['memoryPagesMax', { limits: { memoryPagesMax: 100_000 } }],
    ['outputBytesMax', { limits: { outputBytesMax: 1e12 } }],
    ['fuelMax', { limits: { fuelMax: -1 } }],
    ['fuelMax', { limits: { fuelMax: 1.5 } }],
    ['fuelMax', { limits: { fuelMax: Number.NaN } }],
    ['timeoutMs', { limits: { timeoutMs: 1e9 } }],
    ['seed', { seed: new Uint8Array(31) }],
    ['input', { input: new Uint8Array(9 * 1024 * 1024) }],
    ['timeMs', { timeMs: -5 }],
  ])('%s', async (name, parts) => {
    const error = await rejection(sandbox().run(jobOf(hello, parts)));
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED', fault: 'consumer', message: expect.stringContaining(name) });
  });
});

describe('closing', () => {
  test('lets running jobs finish, and refuses queued and new ones', async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const pool = sandbox({
      threads: 1,
      spareThreads: 0,
      closeTimeoutMs: 20_000,
      readFile: async () => {
        await arrived;
        return new Uint8Array(0);
      },
      fileSize: async () => 0,
    });
    const running = pool.run(jobOf(reader));
    await until(() => pool.stats().waiting === 1);
    const queued = rejection(pool.run(jobOf(hello)));
    const closed = pool.close();
    expect(await queued).toMatchObject({ code: 'SANDBOX_CLOSED', retryable: true });
    expect(await rejection(pool.run(jobOf(hello)))).toMatchObject({ code: 'SANDBOX_CLOSED' });
    arrive();
    expect((await running).error).toBeUndefined();
    await closed;
  });

  test('stops those that do not finish', async () => {
    const pool = sandbox({ closeTimeoutMs: 20 });
    const stuck = rejection(pool.run(endlessJob()));
    await until(() => pool.stats().running === 1);
    await pool.close();
    const error = await stuck;
    expect(error).toMatchObject({ code: 'SANDBOX_CLOSED' });
  });
});
