import { createSandbox, type JobSpec, type Sandbox, type StateView } from '../../provider/sandbox/index.ts';
import { handlerWat, jobOf, loadWat, type HandlerParts } from '../../provider/sandbox/testing/modules.ts';
import { fileName, filledState, openScene } from '../state/scene.ts';
import { median } from '../measure.ts';

/**
 * What one call of the state takes, through the real pool at a state on the disk: the time of a job that makes it many
 * times less that of the job that makes it once, and what a unit of its fuel buys.
 */
export interface CallTime {
  name: string;
  us: number;
  /** Of worker and main thread together. */
  cpuUs: number;
  nsPerFuel: number;
}

export const READ = 'read of 1 KB of another file each time';
export const WRITE = 'write of 1 KB';
const FILES = 10_000;
const TURNS = 7;
/** `entries/0000000000`, with the digits of the file's number. */
const PATH_AT = 1024;
const PATH_LENGTH = fileName(0).length;
const DATA_AT = 4096;

const PATH = `(data (i32.const ${PATH_AT}) "${fileName(0)}")
  (func $path (param $i i32) (local $at i32)
    (local.set $at (i32.const ${PATH_AT + PATH_LENGTH - 1}))
    (loop $l
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $i) (i32.const 10))))
      (local.set $i (i32.div_u (local.get $i) (i32.const 10)))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $l (i32.gt_u (local.get $at) (i32.const ${PATH_AT + PATH_LENGTH - 11})))))`;
const path = `(i32.const ${PATH_AT}) (i32.const ${PATH_LENGTH})`;
const directory = `(i32.const ${PATH_AT}) (i32.const 7)`;

interface Case {
  name: string;
  /** What is done once before. */
  before?: string;
  /** What is done for the file `$i`, which the path names. */
  body: string;
  times: number;
}

const read = (bytes: number): string =>
  `(drop (call $state_read ${path} (i64.const 0) (i32.const ${DATA_AT}) (i32.const ${bytes})))`;
const write = (bytes: number): string => `(call $state_write ${path} (i32.const ${DATA_AT}) (i32.const ${bytes}))`;
const list = (bytes: number): string =>
  `(drop (call $state_list ${directory} (i32.const ${PATH_AT + 8}) (i32.const 10) (i32.const ${DATA_AT}) (i32.const ${bytes})))`;
const loop = (count: number, body: string): string => `(local.set $j (i32.const 0)) (loop $m
  (call $path (local.get $j)) ${body}
  (br_if $m (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const ${count}))))`;
const remove = `(drop (call $state_remove ${path}))`;

const CASES: readonly Case[] = [
  { name: 'stat of another file each time', body: `(drop (call $state_stat ${path}))`, times: 2000 },
  {
    name: 'stat of one file',
    body: `(drop (call $state_stat (i32.const ${PATH_AT}) (i32.const ${PATH_LENGTH})))`.replace(path, path),
    before: '',
    times: 2000,
  },
  {
    name: 'stat of what is not there',
    body: `(i32.store8 (i32.const ${PATH_AT + 8}) (i32.const 57)) (drop (call $state_stat ${path}))`,
    times: 2000,
  },
  { name: READ, body: read(1024), times: 2000 },
  { name: WRITE, body: write(1024), times: 2000 },
  { name: 'write of nothing', body: write(0), times: 2000 },
  { name: 'write of 64 KB', body: write(65_536), times: 200 },
  { name: 'remove', body: remove, times: 2000 },
  { name: 'list of 100 entries of 10,000', body: list(2600), times: 1000 },
  { name: 'list of 1 entry of 10,000', body: list(512), times: 1000 },
  {
    name: 'stat beside 4,000 written files',
    before: loop(4000, write(0)),
    body: `(i32.store8 (i32.const ${PATH_AT + 8}) (i32.const 57)) (drop (call $state_stat ${path}))`,
    times: 1000,
  },
  { name: 'list of 1 entry beside 4,000 written files', before: loop(4000, write(0)), body: list(512), times: 1000 },
  {
    name: 'stat of a directory with 4,000 removed files',
    before: loop(4000, remove),
    body: `(drop (call $state_stat ${directory}))`,
    times: 100,
  },
  {
    name: 'list of 1 entry behind 4,000 removed files',
    before: loop(4000, remove),
    body: `(i32.store8 (i32.const ${PATH_AT + 17}) (i32.const 48)) (call $path (i32.const 0)) ${list(512)}`,
    times: 100,
  },
];

const CALLS = ['state_stat', 'state_read', 'state_write', 'state_remove', 'state_list'] as const;

function partsOf({ before = '', body }: Case, times: number): HandlerParts {
  return {
    imports: [...CALLS],
    memory: '3',
    fields: PATH,
    body: `(local $i i32) (local $j i32) ${before}
      (local.set $i (i32.const ${times}))
      (loop $l (call $path (local.get $i)) ${body} (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1))))) (call $ok)`,
  };
}

async function timeOf(sandbox: Sandbox, view: StateView, one: Case): Promise<CallTime> {
  const jobs = [one.times, 1].map((times): JobSpec => {
    const job = jobOf(loadWat(handlerWat(partsOf(one, times))), { limits: { fuelMax: 1e12, timeoutMs: 60_000 } });
    return { ...job, module: { ...job.module, cid: `${one.name} ${times}` }, state: { view, writable: true } };
  });
  const wall: number[] = [];
  const cpu: number[] = [];
  let fuel = 0;
  const run = async (job: JobSpec): Promise<{ cpuUs: number; wallUs: number; fuel: number }> => {
    const before = process.cpuUsage();
    const outcome = await sandbox.run(job);
    const { user, system } = process.cpuUsage(before);
    if (outcome.error !== undefined) throw new Error(`${one.name}: ${outcome.error.message}`);
    return { cpuUs: user + system, wallUs: outcome.elapsedMs * 1000, fuel: outcome.fuel };
  };
  for (let turn = 0; turn < TURNS; turn++) {
    const [many, once] = [await run(jobs[0]!), await run(jobs[1]!)];
    wall.push((many.wallUs - once.wallUs) / (one.times - 1));
    cpu.push((many.cpuUs - once.cpuUs) / (one.times - 1));
    fuel = (many.fuel - once.fuel) / (one.times - 1);
  }
  return { name: one.name, us: median(wall), cpuUs: median(cpu), nsPerFuel: (median(cpu) * 1000) / fuel };
}

/** Each case in turn, at a state of 10,000 files on the disk. */
export async function stateCallTimes(progress: (line: string) => void): Promise<CallTime[]> {
  const scene = await openScene();
  const sandbox = createSandbox({ threads: 1 });
  try {
    const state = await filledState(scene.states, 'k51calls', FILES);
    const times: CallTime[] = [];
    for (const one of CASES) {
      const time = await timeOf(sandbox, state.view(), one);
      progress(`${one.name}: ${time.us.toFixed(1)} us, ${time.nsPerFuel.toFixed(2)} ns of CPU a unit of fuel`);
      times.push(time);
    }
    return times;
  } finally {
    await sandbox.close();
    await scene.close();
  }
}
