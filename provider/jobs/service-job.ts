import { encode } from '@ipld/dag-cbor';
import type { CID } from 'multiformats/cid';
import { decodeResponseHead, openReceipt, WorkswapError, type JobRequest } from '../../sdk/protocol/index.ts';
import { decodeMap, isMap } from '../../sdk/protocol/signed.ts';
import type { JobSpec, Outcome } from '../sandbox/index.ts';
import { StateError, type ServiceState } from '../services/state/index.ts';
import type { FinishedJob } from './run-job.ts';
import type { JobService } from './types.ts';

/** An update's time may differ this much from our clock: as long as its task is remembered, it is applied once. */
export const UPDATE_AGE_MS_MAX = 5 * 60_000;

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
    `The update is of ${new Date(request.timeMs).toISOString()}, more than ${UPDATE_AGE_MS_MAX / 60_000} minutes from this provider's clock.`,
    { fault: 'consumer' },
  );
}

/** Where a job ran: the root that it saw and, of an update, the commit that holds it. */
export interface RanAt {
  outcome: Outcome;
  state?: CID;
  commit?: CID;
}

/** Runs a job at a service's state: a query at the committed root, an update in its turn, until it is durable. */
export async function runAtState(
  service: ServiceState,
  task: CID,
  request: JobRequest,
  run: (state: NonNullable<JobSpec['state']>) => Promise<Outcome>,
  signal: AbortSignal,
): Promise<RanAt> {
  if (isQuery(request)) {
    const { root } = service;
    return { outcome: await run({ view: service.view(), writable: false }), state: root };
  }
  let outcome: Outcome | undefined;
  const { before, commit } = await service.update(
    task,
    async (view) => {
      outcome = await run({ view, writable: true });
      return outcome.error === undefined && outcome.changes !== undefined ? { changes: outcome.changes } : {};
    },
    { signal },
  );
  return { outcome: outcome!, state: before, ...(commit === undefined ? {} : { commit }) };
}

/** What is kept of an update, to be given again to whoever sends the same task again. */
export function encodeAnswer({ outcome, sealed }: FinishedJob): Uint8Array {
  const { head, body, error } = outcome;
  return encode({ head, body, receipt: sealed.bytes, ...(error === undefined ? {} : { error: { ...error } }) });
}

/**
 * The answer to a task that was applied before; undefined for a new one.
 * @throws StateError ALREADY_APPLIED when its answer was not kept
 */
export function keptAnswer(state: ServiceState, task: CID): FinishedJob | undefined {
  const applied = state.applied(task);
  if (applied === undefined) return undefined;
  if (applied.answer === undefined) {
    const where = applied.commit === undefined ? 'and changed nothing' : `in the commit ${applied.commit}`;
    throw new StateError('ALREADY_APPLIED', `The task ${task} was applied before, ${where}; its answer was not kept.`, {
      commit: applied.commit,
    });
  }
  return decodeAnswer(applied.answer);
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
