import { threadId, workerData as nodeWorkerData } from 'node:worker_threads';
import { move } from 'piscina';
import { SandboxError } from '../errors.ts';
import { Engine } from '../engine/engine.ts';
import { InstanceCache } from '../engine/instance-cache.ts';
import { createNodeHost } from '../node-host.ts';
import { Control, sharedNowMs } from '../pool/control.ts';
import { decodeBatch, ResultWriter, type WireJob } from '../pool/wire.ts';
import { Asker } from './asker.ts';
import { Garbage } from './garbage.ts';
import type { JobPlace, WorkerSetup } from './messages.ts';
import { ModuleCache } from './module-cache.ts';
import { ReadAhead } from './read-ahead.ts';

/** A worker of the pool. It runs the jobs of a batch one after the other and answers all their results at once. */
const setup = nodeWorkerData as WorkerSetup;
const control = new Control(setup.control);
const asker = new Asker();
const garbage = new Garbage(setup.garbageBytesMax);
const instances = new InstanceCache(setup.instanceCacheBytesMax, (byteLength) => garbage.add(byteLength));

/** The job that runs now; it is the one that asks. */
let place: JobPlace = { slot: 0, generation: 0, index: 0 };
const modules = new ModuleCache(
  setup.moduleCacheBytesMax,
  () => asker.ask({ kind: 'module', ...place }).module,
  (module) => instances.forget(module),
);
const files = new ReadAhead((cid, offset, length) => asker.ask({ kind: 'read', ...place, cid, offset, length }).bytes);
const engine = new Engine(
  {
    ...createNodeHost({
      readFile: (cid, offset, length) => files.readFile(cid, offset, length),
      fileSize: (cid) => asker.ask({ kind: 'size', ...place, cid }).size,
    }),
    begin: () => files.reset(),
  },
  instances,
);

/** A message that is larger than this moves to the main thread; a smaller one is cheaper to copy. */
const MOVE_BYTES_MIN = 64 * 1024;

/** A batch stops here, and the main thread gives the rest of it to whoever is free: nobody waits long for a neighbour. */
const BATCH_MS_MAX = 5;
const BATCH_RESULT_BYTES_MAX = 1024 * 1024;

export default function runBatch(message: ArrayBuffer): ArrayBuffer {
  const { slot, generation, jobs } = decodeBatch(message);
  const results = new ResultWriter(jobs.length);
  const startedMs = sharedNowMs();
  for (const [index, job] of jobs.entries()) {
    const nowMs = sharedNowMs();
    const full = index > 0 && (nowMs - startedMs > BATCH_MS_MAX || results.size > BATCH_RESULT_BYTES_MAX);
    if (full || !control.claim(slot, generation, index, threadId, nowMs)) {
      results.notRun();
      continue;
    }
    place = { slot, generation, index };
    runJob(job, results);
    control.finish(slot, generation, index);
    garbage.collectIfFull();
  }
  const answer = results.finish();
  return answer.byteLength < MOVE_BYTES_MIN ? answer : (move(answer) as ArrayBuffer);
}

function runJob(job: WireJob, results: ResultWriter): void {
  try {
    results.outcome(engine.run({ ...job, module: modules.get(job.moduleId) }));
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    const { code, message, fault, retryable, elapsedMs } = error;
    results.failure({ code, message, fault, retryable }, elapsedMs);
  }
}
