import { JobEnd, SandboxError, type OutcomeCode } from '../errors.ts';
import type { EngineJob, Outcome, OutcomeError } from '../types.ts';
import { createWasiImports, Process, ProcessExit, WASI_MODULE } from '../wasi/index.ts';
import { FuelBudget } from './fuel-budget.ts';
import type { Host } from './host.ts';
import { createImports } from './host-calls.ts';
import { InstanceCache } from './instance-cache.ts';
import { PAGE_BYTES, type Instance } from './instance.ts';
import { JobContext, outOfFuel } from './job-context.ts';

const NOTHING = new Uint8Array(0);

/**
 * Runs jobs one after the other in this thread. A job gets an instance in which nothing of any other job can be seen:
 * a new one, or one whose memory and globals were set back after a clean return.
 */
export class Engine {
  readonly #context: JobContext;
  readonly #process: Process;
  readonly #imports: WebAssembly.Imports;
  readonly #instances: InstanceCache;

  constructor(host: Host, instances = new InstanceCache(0)) {
    this.#context = new JobContext(host);
    this.#process = new Process(this.#context);
    this.#imports = createImports(this.#context);
    this.#imports[WASI_MODULE] = createWasiImports(this.#context, this.#process);
    this.#instances = instances;
  }

  /**
   * Resolves to the job's outcome; throws a `SandboxError` when there is none. `head` and `body` are views that the next
   * job overwrites.
   */
  run(job: EngineJob): Outcome {
    const startedAt = performance.now();
    const context = this.#context;
    const budget = new FuelBudget(job.limits, job.input.length, job.budget);
    context.begin(job, budget);
    this.#process.reset();
    let instance: Instance | undefined;
    let error: OutcomeError | undefined;
    let fuelKnown = true;
    /** Burnt before there is an instance. */
    let setupFuel = 0;
    try {
      assertStartable(job, budget);
      setupFuel = Math.min(job.module.setupFuel, budget.given);
      if (setupFuel < job.module.setupFuel) throw outOfFuel(budget);
      instance = this.#instances.take(job.module, this.#imports);
      instance.fuel.value = BigInt(budget.given - setupFuel);
      instance.memoryPagesMax.value = job.limits.memoryPagesMax;
      context.attach(instance);
      this.#call(instance, job.delivery !== undefined);
      if (instance.fuel.value < 0n) throw outOfFuel(budget);
      if (context.output.response === undefined) {
        throw new JobEnd('INVALID_OUTPUT', 'The handler returned without a response: it never called output_write.');
      }
    } catch (thrown) {
      error = this.#explain(thrown, instance, budget, startedAt);
      fuelKnown = error.code !== 'TRAP' || isUnreachable(thrown);
    } finally {
      context.end();
    }
    const { output } = context;
    const outcome: Outcome = {
      ...(error === undefined ? {} : { error }),
      head: output.head,
      body: output.body,
      status: output.response?.status ?? 0,
      headers: output.response?.headers ?? {},
      fuel:
        instance === undefined ? setupFuel : budget.given - (fuelKnown ? Math.max(0, Number(instance.fuel.value)) : 0),
      memoryPagesPeak: instance === undefined ? 0 : instance.byteLength / PAGE_BYTES,
      outputBytes: output.size,
      outputDigest: new Uint8Array(context.host.sha256(error === undefined ? output.all : NOTHING)),
      readBytes: context.readBytes,
      writtenBytes: context.writtenBytes,
      logs: context.logs,
      elapsedMs: 0,
    };
    const changes = error === undefined ? context.state.changes() : undefined;
    if (changes !== undefined) outcome.changes = changes;
    const messages = error === undefined ? context.sent.messages : undefined;
    if (messages !== undefined) outcome.messages = messages;
    if (instance !== undefined) this.#instances.release(job.module, instance, error === undefined);
    outcome.elapsedMs = performance.now() - startedAt;
    return outcome;
  }

  #call(instance: Instance, isDelivery: boolean): void {
    let exitCode = 0;
    try {
      instance.start?.();
      if (isDelivery) this.#entryOf(instance)();
      else instance.handle();
    } catch (thrown) {
      if (!(thrown instanceof ProcessExit)) throw thrown;
      exitCode = thrown.exitCode;
    }
    if (instance.isCommand && instance.fuel.value >= 0n) this.#process.finish(exitCode);
  }

  #entryOf({ deliver }: Instance): () => void {
    if (deliver !== undefined) return deliver;
    throw new JobEnd('HANDLER_FAILED', 'The handler takes no messages: it does not export deliver.');
  }

  /** What the consumer is told about an end by exception; throws on when the exception says nothing about the task. */
  #explain(thrown: unknown, instance: Instance | undefined, budget: FuelBudget, startedAt: number): OutcomeError {
    if (instance !== undefined && instance.fuel.value < 0n) return describe(outOfFuel(budget));
    if (thrown instanceof JobEnd) return describe(thrown);
    // Without an instance it is an active segment outside its memory or table: instantiation itself traps.
    if (thrown instanceof WebAssembly.RuntimeError) {
      if (instance?.depthExceeded === true) {
        return describe(
          new JobEnd('STACK_OVERFLOW', 'The handler nested its calls deeper than the meter version allows.'),
        );
      }
      return describe(
        new JobEnd('TRAP', `The handler trapped: ${thrown.message}. Look for the fault with a debug build.`),
      );
    }
    if (instance !== undefined) this.#instances.drop(instance);
    const elapsedMs = performance.now() - startedAt;
    if (thrown instanceof SandboxError) {
      throw new SandboxError(thrown.code, thrown.message, {
        fault: thrown.fault,
        retryable: thrown.retryable,
        cause: thrown.cause,
        elapsedMs,
      });
    }
    throw new SandboxError('SANDBOX_FAILED', `The sandbox could not run the handler: ${messageOf(thrown)}`, {
      fault: 'provider',
      retryable: true,
      cause: thrown,
      elapsedMs,
    });
  }
}

function assertStartable(job: EngineJob, budget: FuelBudget): void {
  if (!budget.sufficient) {
    throw new JobEnd(
      'PRICE_EXCEEDED',
      'priceMax does not buy this job: its input and its fixed price cost more. Raise it.',
    );
  }
  const { memoryPagesMin } = job.module;
  const { memoryPagesMax } = job.limits;
  if (memoryPagesMin > memoryPagesMax) {
    throw new JobEnd(
      'MEMORY_LIMIT',
      `The handler starts with ${memoryPagesMin} pages of memory; the job allows ${memoryPagesMax}. Raise memoryPagesMax.`,
    );
  }
}

/**
 * Metered code keeps its fuel in registers and writes it back at host calls and at `unreachable`, but not before every
 * operation that might trap. How much such a trap had burnt is not known, so it is billed at the limit: anything else
 * would be free computing for whoever ends in a division by zero.
 */
function isUnreachable(thrown: unknown): boolean {
  return /unreachable/i.test(messageOf(thrown));
}

function describe(end: JobEnd): OutcomeError & { code: OutcomeCode } {
  return { code: end.code as OutcomeCode, message: end.message, fault: end.fault };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
