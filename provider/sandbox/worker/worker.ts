import { threadId, workerData as nodeWorkerData } from 'node:worker_threads';
import { move } from 'piscina';
import { SandboxError } from '../errors.ts';
import { Engine } from '../engine/engine.ts';
import { InstanceCache } from '../engine/instance-cache.ts';
import { createNodeHost } from '../node-host.ts';
import { Control, sharedNowMs } from '../pool/control.ts';
import { MAIL_BYTES_MAX, Mailboxes } from '../pool/mailbox.ts';
import { readBatch, type WireJob } from '../pool/wire-batch.ts';
import { ResultWriter } from '../pool/wire-results.ts';
import { Asker } from './asker.ts';
import { Garbage } from './garbage.ts';
import type { JobPlace, WorkerSetup } from './messages.ts';
import { ModuleCache } from './module-cache.ts';
import { ReadAhead } from './read-ahead.ts';

/** A worker of the pool. It runs the jobs of a batch one after the other and answers all their results at once. */
const setup = nodeWorkerData as WorkerSetup;
const control = new Control(setup.control);
const mailboxes = new Mailboxes(setup.mailboxes);
const results = new ResultWriter();
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

/** A batch stops here, and the main thread gives the rest of it to whoever is free: nobody waits long for a neighbour. */
const BATCH_MS_MAX = 5;
const BATCH_RESULT_BYTES_MAX = 1024 * 1024;

/** Takes the slot whose mailbox holds a batch, or the batch itself; answers in the same way. */
export default function runBatch(mail: number | ArrayBuffer): number | ArrayBuffer {
  const inMailbox = typeof mail === 'number';
  const { slot, generation, jobs } = inMailbox
    ? readBatch(mailboxes.buffer, mailboxes.request(mail))
    : readBatch(mail, 0);
  results.reset(jobs.length);
  const startedMs = performance.now();
  for (const [index, job] of jobs.entries()) {
    const full =
      index > 0 && (performance.now() - startedMs > BATCH_MS_MAX || results.byteLength > BATCH_RESULT_BYTES_MAX);
    if (full || !control.claim(slot, generation, index, threadId, sharedNowMs())) {
      results.notRun();
      continue;
    }
    place = { slot, generation, index };
    runJob(job);
    control.finish(slot, generation, index);
    garbage.collectIfFull();
  }
  if (results.byteLength <= MAIL_BYTES_MAX) {
    results.copyTo(mailboxes.buffer, mailboxes.response(slot));
    return slot;
  }
  const answer = new ArrayBuffer(results.byteLength);
  results.copyTo(answer, 0);
  return move(answer) as ArrayBuffer;
}

function runJob(job: WireJob): void {
  try {
    results.outcome(engine.run({ ...job, module: modules.get(job.moduleId) }));
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    const { code, message, fault, retryable, elapsedMs } = error;
    results.failure({ code, message, fault, retryable }, elapsedMs);
  }
}
