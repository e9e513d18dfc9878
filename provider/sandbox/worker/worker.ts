import { receiveMessageOnPort, threadId, workerData } from 'node:worker_threads';
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
import type { JobPlace, LaneStart, WorkerSetup } from './messages.ts';
import { ModuleCache } from './module-cache.ts';
import { AskedState } from './asked-state.ts';
import { ReadAhead } from './read-ahead.ts';

/** A batch stops here, and the main thread gives the rest of it to whoever is free: nobody waits long for a neighbour. */
const BATCH_MS_MAX = 5;
const BATCH_RESULT_BYTES_MAX = 1024 * 1024;

/** A thread of the pool: it serves one slot for as long as it lives. */
export default function serve({ slot, served, port }: LaneStart): void {
  const setup = workerData as WorkerSetup;
  const control = new Control(setup.control);
  const mailboxes = new Mailboxes(setup.mailboxes);
  const runner = new BatchRunner(setup, control, slot, new Asker(port, control, slot));
  control.setThread(slot, threadId);
  let request = served;
  for (;;) {
    request = control.awaitRequest(slot, request);
    const generation = Math.abs(request);
    const results =
      request > 0
        ? runner.run(generation, mailboxes.buffer, mailboxes.request(slot))
        : runner.run(generation, receiveMessageOnPort(port)?.message as ArrayBuffer, 0);
    if (results.byteLength <= MAIL_BYTES_MAX) {
      results.copyTo(mailboxes.buffer, mailboxes.response(slot));
      control.answer(slot, generation);
    } else {
      const answer = new ArrayBuffer(results.byteLength);
      results.copyTo(answer, 0);
      port.postMessage(answer, [answer]);
    }
  }
}

/** Runs the jobs of a batch one after the other. */
class BatchRunner {
  readonly #control: Control;
  readonly #slot: number;
  readonly #modules: ModuleCache;
  readonly #engine: Engine;
  readonly #garbage: Garbage;
  readonly #results = new ResultWriter();
  /** The job that runs now; it is the one that asks. */
  #place: JobPlace = { generation: 0, index: 0 };

  constructor(setup: WorkerSetup, control: Control, slot: number, asker: Asker) {
    this.#control = control;
    this.#slot = slot;
    this.#garbage = new Garbage(setup.garbageBytesMax);
    const instances = new InstanceCache(setup.instanceCacheBytesMax, (byteLength) => this.#garbage.add(byteLength));
    this.#modules = new ModuleCache(
      setup.moduleCacheBytesMax,
      () => asker.ask({ kind: 'module', ...this.#place }).module,
      (module) => instances.forget(module),
    );
    const files = new ReadAhead(
      (cid, offset, length) => asker.ask({ kind: 'read', ...this.#place, cid, offset, length }).bytes,
    );
    const host = createNodeHost({
      readFile: (cid, offset, length) => files.readFile(cid, offset, length),
      fileSize: (cid) => asker.ask({ kind: 'size', ...this.#place, cid }).size,
    });
    const state = new AskedState((question) => asker.ask({ ...question, ...this.#place } as never));
    const begin = (): void => {
      files.reset();
      state.reset();
    };
    this.#engine = new Engine({ ...host, state, begin }, instances);
  }

  /** The results are valid until the next run. */
  run(generation: number, buffer: ArrayBufferLike, byteOffset: number): ResultWriter {
    const jobs = readBatch(buffer, byteOffset);
    const results = this.#results;
    results.reset(jobs.length);
    const batchStartedMs = sharedNowMs();
    for (const [index, job] of jobs.entries()) {
      const nowMs = index === 0 ? batchStartedMs : sharedNowMs();
      const full = index > 0 && (nowMs - batchStartedMs > BATCH_MS_MAX || results.byteLength > BATCH_RESULT_BYTES_MAX);
      if (full || !this.#control.claim(this.#slot, generation, index, nowMs)) {
        results.notRun();
        continue;
      }
      this.#place = { generation, index };
      this.#runJob(job);
      this.#control.finish(this.#slot, generation, index);
      this.#garbage.collectIfFull();
    }
    return results;
  }

  #runJob(job: WireJob): void {
    try {
      this.#results.outcome(this.#engine.run({ ...job, module: this.#modules.get(job.moduleId) }));
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      const { code, message, fault, retryable, elapsedMs } = error;
      this.#results.failure({ code, message, fault, retryable }, elapsedMs);
    }
  }
}
