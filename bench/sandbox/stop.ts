import { createSandbox, SandboxError } from '../../provider/sandbox/index.ts';
import type { JobSpec } from '../../provider/sandbox/index.ts';
import { jobOf, loadHandler } from '../../provider/sandbox/testing/modules.ts';

const STOPS_PER_LOOP = 5;
const FILE_CID = '(data (i32.const 1000) "\\01\\55\\00\\00")';

/** What a loop may do for long in one go. Memory has 512 pages, the table as many entries as it may. */
const LOOPS = {
  empty: '',
  'fill 8 MB': '(memory.fill (i32.const 0) (i32.const 1) (i32.const 8388608))',
  'fill 32 MB': '(memory.fill (i32.const 0) (i32.const 1) (i32.const 33554432))',
  'copy 8 MB': '(memory.copy (i32.const 0) (i32.const 64) (i32.const 8388000))',
  'fill a table': '(table.fill $t (i32.const 0) (ref.null func) (i32.const 65536))',
  'grow by nothing': '(drop (memory.grow (i32.const 0)))',
  'sha256 of 32 MB': '(call $sha256 (i32.const 0) (i32.const 33554432) (i32.const 0))',
  'random 8 MB': '(call $random (i32.const 0) (i32.const 8388608))',
  'verify 8 MB': '(drop (call $ed25519_verify (i32.const 0) (i32.const 0) (i32.const 8388608) (i32.const 0)))',
};

/** For each loop, milliseconds from cancelling it to the end of the next job in its place: only then it is stopped. */
export async function stopTimes(): Promise<Map<string, number[]>> {
  let started = Promise.withResolvers<void>();
  const sandbox = createSandbox({
    threads: 1,
    fileSize: async () => {
      started.resolve();
      return 0;
    },
  });
  const next = jobOf(loadHandler());
  const times = new Map<string, number[]>();
  try {
    for (const [name, body] of Object.entries(LOOPS)) {
      const loop = loopJob(body);
      const each: number[] = [];
      for (let i = 0; i < STOPS_PER_LOOP; i++) {
        started = Promise.withResolvers<void>();
        const controller = new AbortController();
        const ended = sandbox.run(loop, { signal: controller.signal }).catch((error: unknown) => error);
        await started.promise;
        await sleep(30);
        const before = performance.now();
        controller.abort();
        if (!((await ended) instanceof SandboxError)) throw new Error(`the loop "${name}" was not stopped`);
        // With one worker it runs only when the other thread is gone.
        await sandbox.run(next);
        each.push(performance.now() - before);
        // The next spare starts meanwhile.
        await sleep(200);
      }
      times.set(name, each);
    }
  } finally {
    await sandbox.close();
  }
  return times;
}

/** A handler that asks for a size, which tells that it runs, and then loops for ever. */
function loopJob(body: string): JobSpec {
  const module = loadHandler({
    imports: ['block_size', 'sha256', 'random', 'ed25519_verify'],
    memory: '512 512',
    fields: `${FILE_CID} (table $t 65536 65536 funcref)`,
    body: `(drop (call $block_size (i32.const 1000) (i32.const 4))) (loop $l ${body} (br $l))`,
  });
  return jobOf(module, { limits: { fuelMax: Number.MAX_SAFE_INTEGER, memoryPagesMax: 512 } });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
