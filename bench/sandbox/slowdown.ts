import { createSandbox } from '../../provider/sandbox/index.ts';
import { jobOf, loadHandler } from '../../provider/sandbox/testing/modules.ts';
import { median } from '../measure.ts';

const SLOWDOWN_ROUNDS = 9;

/**
 * How much longer a job takes when it runs on four workers at once: in wall-clock time, and in CPU time, which says
 * whether workers disturb one another beyond sharing the cores, on a busy machine too.
 */
export async function slowdown(): Promise<{ wall: number[]; cpu: number[] }> {
  const module = loadHandler({
    body: `(local $i i32) (local $x f64)
      (loop $l
        (local.set $x (f64.add (f64.mul (local.get $x) (f64.const 0.999)) (f64.convert_i32_u (local.get $i))))
        (i32.store (i32.and (local.get $i) (i32.const 32764)) (local.get $i))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000000))))
      (call $ok)`,
  });
  const sandbox = createSandbox({ threads: 4 });
  try {
    const job = jobOf(module, { limits: { fuelMax: Number.MAX_SAFE_INTEGER } });
    const elapsed = async (): Promise<number> => (await sandbox.run(job)).elapsedMs;
    const together = (): Promise<number[]> => Promise.all([1, 2, 3, 4].map(elapsed));
    const inTurn = async (): Promise<number[]> => [await elapsed(), await elapsed(), await elapsed(), await elapsed()];
    await together();
    const wall: number[] = [];
    const cpu: number[] = [];
    for (let i = 0; i < SLOWDOWN_ROUNDS; i++) {
      const alone = await measured(inTurn);
      const atOnce = await measured(together);
      wall.push(atOnce.elapsedMs / alone.elapsedMs);
      cpu.push(atOnce.cpuMs / alone.cpuMs);
    }
    return { wall, cpu };
  } finally {
    await sandbox.close();
  }
}

/** The median time of four jobs, and the process's CPU time meanwhile. */
async function measured(jobs: () => Promise<number[]>): Promise<{ elapsedMs: number; cpuMs: number }> {
  const before = process.cpuUsage();
  const elapsedMs = median(await jobs());
  const { user, system } = process.cpuUsage(before);
  return { elapsedMs, cpuMs: (user + system) / 1000 };
}
