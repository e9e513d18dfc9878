import { encode } from '@ipld/dag-cbor';
import type { CID } from 'multiformats/cid';
import {
  decodeResponseHead,
  messagesOf,
  openReceipt,
  WorkswapError,
  type Delivery,
  type JobRequest,
  type SealedReceipt,
} from '../../sdk/protocol/index.ts';
import { decodeMap, isMap } from '../../sdk/protocol/signed.ts';
import type { JobSpec, Outcome, StateView } from '../sandbox/index.ts';
import { StateError, type ServiceState, type UpdatedAt, type UpdateResult } from '../services/state/index.ts';
import { onceFor } from './delivery.ts';
import type { FinishedJob } from './run-job.ts';
import { UPDATE_AGE_MS_MAX, type JobService } from './types.ts';

/** GET and HEAD read; everything else may write. */
export function isQuery({ method }: Pick<JobRequest, 'method'>): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** @throws WorkswapError HANDLER_MISMATCH, TASK_EXPIRED */
export function checkServiceJob(service: JobService, handler: CID, request: JobRequest, nowMs: number): void {
  if (!service.handler.equals(handler)) {
    throw new WorkswapError(
      'HANDLER_MISMATCH',
      `The handler of ${service.name} is ${service.handler}, not ${handler}. Resolve the name again.`,
      { fault: 'consumer', retryable: true },
    );
  }
  if (isQuery(request) || Math.abs(nowMs - request.timeMs) <= UPDATE_AGE_MS_MAX) return;
  throw new WorkswapError(
    'TASK_EXPIRED',
    `The update is of ${request.timeMs} (milliseconds since 1970), more than ${UPDATE_AGE_MS_MAX / 60_000} minutes from this provider's clock, ${nowMs}.`,
    { fault: 'consumer' },
  );
}

/** A task's blocks, and what it is named by. */
export interface NamedTask {
  task: CID;
  taskBytes: Uint8Array;
  inputCid: CID;
  input: Uint8Array;
  timeMs: number;
  /** The message that it brings. */
  delivery: Delivery | undefined;
}

/** Where a job ran: the root that it saw and, of an update, the commit that holds it. */
export interface RanAt {
  state: CID;
  commit?: CID;
}

export type Seal = (outcome: Outcome, at: RanAt) => Promise<SealedReceipt>;

/** Runs an update in its turn, until it is durable together with its answer. */
export async function applyUpdate(
  service: ServiceState,
  { task, taskBytes, inputCid, input, timeMs, delivery }: NamedTask,
  run: (state: NonNullable<JobSpec['state']>) => Promise<Outcome>,
  seal: Seal,
  signal: AbortSignal,
): Promise<FinishedJob> {
  // Whoever replays the commit needs what went in.
  const blocks = new Map([
    [task, taskBytes],
    [inputCid, input],
  ]);
  const origin = { service: service.service, timeMs, followUps: delivery?.followUps };
  let finished: FinishedJob | undefined;
  let elapsedMs = 0;
  const update = async (view: StateView): Promise<UpdateResult> => {
    const outcome = await run({ view, writable: true });
    elapsedMs = outcome.elapsedMs;
    const messages = outcome.messages && messagesOf(task, origin, outcome.messages);
    const answer = async ({ before, commit }: UpdatedAt): Promise<Uint8Array> => {
      const at: RanAt = { state: before, ...(commit === undefined ? {} : { commit }) };
      finished = { outcome, sealed: await seal(outcome, at) };
      return encodeAnswer(finished);
    };
    const isTaken = outcome.error === undefined;
    return { changes: isTaken ? outcome.changes : undefined, messages, isTaken, blocks, answer };
  };
  try {
    await service.update(task, update, { signal, delivery: delivery && onceFor(delivery) });
  } catch (error) {
    // It ran, and can be asked again and again.
    if (error instanceof StateError && error.code === 'OUTBOX_FULL') error.elapsedMs = elapsedMs;
    throw error;
  }
  return finished!;
}

/** What is kept of an update, to be given again to whoever sends the same task again. */
function encodeAnswer({ outcome, sealed }: FinishedJob): Uint8Array {
  const { head, body, error } = outcome;
  return encode({ head, body, receipt: sealed.bytes, ...(error === undefined ? {} : { error: { ...error } }) });
}

/**
 * The answer to a task that was applied before, and whether by an earlier process; undefined for a new one.
 * @throws StateError ALREADY_APPLIED when its answer was not kept
 */
export function keptAnswer(state: ServiceState, task: CID): { finished: FinishedJob; isEarlier: boolean } | undefined {
  const applied = state.applied(task);
  if (applied === undefined) return undefined;
  const { answer, commit, isEarlier } = applied;
  if (answer !== undefined) return { finished: { ...decodeAnswer(answer), isRepeat: true }, isEarlier };
  const where = commit === undefined ? 'and changed nothing' : `in the commit ${commit}`;
  throw new StateError('ALREADY_APPLIED', `The task ${task} was applied before, ${where}; its answer was not kept.`, {
    commit,
  });
}

function decodeAnswer(bytes: Uint8Array): FinishedJob {
  const { head, body, receipt, error } = decodeMap('answer', bytes);
  const bytesOfHead = head as Uint8Array;
  const outcome = {
    head: bytesOfHead,
    body: body as Uint8Array,
    ...(bytesOfHead.length === 0 ? { status: 0, headers: {} } : decodeResponseHead(bytesOfHead)),
    ...(isMap(error) ? { error: error as unknown as NonNullable<Outcome['error']> } : {}),
  };
  return { outcome, sealed: openReceipt(receipt as Uint8Array) };
}
