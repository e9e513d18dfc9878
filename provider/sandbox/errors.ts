import { WorkswapError, type Fault, type WorkswapErrorInit } from '../../sdk/protocol/errors.ts';

/**
 * Ends that are a pure function of the task. They arrive in `Outcome.error`, are billed, and every re-run gives the same.
 * The value says who has to change something.
 */
export const OUTCOME_FAULTS = {
  /** The handler burnt all fuel it was given. */
  OUT_OF_FUEL: 'handler',
  /** Fuel, output or blocks cost more than the consumer's price limit. */
  PRICE_EXCEEDED: 'consumer',
  /** A trap: unreachable code, an access outside memory, a division by zero. */
  TRAP: 'handler',
  /** Calls nested deeper than the meter version allows. */
  STACK_OVERFLOW: 'handler',
  /** The module needs more memory from the start than the job may use. */
  MEMORY_LIMIT: 'consumer',
  /** More output than `outputBytesMax`. */
  OUTPUT_LIMIT: 'handler',
  /** No head, or a head that is not `{status, headers}`. */
  INVALID_OUTPUT: 'handler',
  /** A host call got a range outside memory, or a bad argument. */
  INVALID_POINTER: 'handler',
  INVALID_CID: 'handler',
  /** The CID names something that is not a file. */
  NOT_A_FILE: 'handler',
  /** A path that no file of a state can have. */
  INVALID_PATH: 'handler',
  /** A file was to be written where a directory is, or below another file. */
  STATE_CONFLICT: 'handler',
  /** More was to be written than a job may write. */
  STATE_LIMIT: 'handler',
  /** More messages, or more bytes in them, than an update may send; or more than may follow from the message it takes. */
  SEND_LIMIT: 'handler',
  /** A message to what is neither a service's name nor a peer id. */
  INVALID_RECIPIENT: 'handler',
  /** A query was to write or to send, or a handler that belongs to no service. */
  READ_ONLY: 'handler',
  /** The handler called `fail`. */
  HANDLER_FAILED: 'handler',
} as const satisfies Record<string, Fault>;

export type OutcomeCode = keyof typeof OUTCOME_FAULTS;

/** Thrown through the handler's frames to end a job with a deterministic outcome; never leaves the engine. */
export class JobEnd extends WorkswapError {
  constructor(code: OutcomeCode, message: string) {
    super(code, message, { fault: OUTCOME_FAULTS[code] });
  }
}

/** A job that ended without an outcome: nothing can be said about its task. */
export class SandboxError extends WorkswapError {
  /** Milliseconds that the job ran on a worker before it ended. */
  readonly elapsedMs: number;

  constructor(code: string, message: string, init: WorkswapErrorInit & { elapsedMs?: number }) {
    super(code, message, init);
    this.elapsedMs = init.elapsedMs ?? 0;
  }
}

/** The queue holds as much as it may. The figures say how much that is. */
export class QueueFullError extends SandboxError {
  readonly queued: number;
  readonly queuedMax: number;
  /** A guess from recent jobs, or undefined when there were none. */
  readonly waitMs: number | undefined;

  constructor(what: string, queued: number, queuedMax: number, waitMs: number | undefined) {
    const wait = waitMs === undefined ? '' : ` The queue empties in about ${Math.ceil(waitMs)} ms.`;
    super('QUEUE_FULL', `${what}: ${queued} of ${queuedMax}.${wait} Try again later.`, {
      fault: 'provider',
      retryable: true,
    });
    this.queued = queued;
    this.queuedMax = queuedMax;
    this.waitMs = waitMs;
  }
}

/** The caller gave the job up. */
export function cancelled(cause: unknown, elapsedMs: number): SandboxError {
  const init = { fault: 'consumer', retryable: true, elapsedMs, cause } as const;
  return new SandboxError('JOB_CANCELLED', 'The job was cancelled before it ended.', init);
}

/** The sandbox takes no more jobs, or stopped this one to close. */
export function closedError(elapsedMs: number): SandboxError {
  const init = { fault: 'provider', retryable: true, elapsedMs } as const;
  return new SandboxError('SANDBOX_CLOSED', 'The provider is stopping. Ask another one, or try again later.', init);
}
