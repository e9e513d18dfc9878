import { CID } from 'multiformats/cid';
import {
  CID_BYTES_MAX,
  HEADERS_MAX,
  HEADER_BYTES_MAX,
  METHOD_BYTES_MAX,
  OUTPUT_BYTES_MAX,
  PATH_BYTES_MAX,
  QUERY_BYTES_MAX,
  REQUEST_BODY_BYTES_MAX,
  SEED_BYTES,
  WANTS_MAX,
} from './constants.ts';
import { WorkswapError } from './errors.ts';
import type { Fault } from './errors.ts';
import type { JobRequest } from './input.ts';
import { Reply, Request } from './pb/workswap.js';
import type { Failure, Task as WireTask } from './pb/workswap.js';
import { isServiceName } from './service-name.ts';
import type { TaskLimits } from './task.ts';

/** A request of a consumer, decoded and checked against every limit of the wire. */
export type DecodedRequest = TaskRequest | { id: number; kind: 'cancel' };

export interface TaskRequest {
  id: number;
  kind: 'task' | 'quote';
  handler: CID;
  request: JobRequest;
  limits: TaskLimits;
  /** IPNS name of the service whose state the handler works on. */
  service?: string;
}

/** A field that is missing, malformed or over its limit. The request is refused; the stream goes on. */
export class BadRequestError extends WorkswapError {
  readonly id: number;

  constructor(id: number, code: 'BAD_REQUEST' | 'BODY_TOO_LARGE', message: string) {
    super(code, message, { fault: 'consumer' });
    this.id = id;
  }
}

/** @throws BadRequestError for a field out of its limits (answerable), any other error when it is no Request at all. */
export function decodeRequest(frame: Uint8Array): DecodedRequest {
  const limits = { task: { headers: HEADERS_MAX }, quote: { headers: HEADERS_MAX } };
  const message = Request.decode(frame, { limits });
  const { id } = message;
  if (id === 0) throw new WorkswapError('BAD_FRAME', 'A request has the id 0', { fault: 'consumer' });
  if (message.cancel) return { id, kind: 'cancel' };
  const task = message.task ?? message.quote;
  if (task === undefined)
    throw new BadRequestError(id, 'BAD_REQUEST', 'The request has neither task, quote nor cancel');
  return { id, kind: message.task === undefined ? 'quote' : 'task', ...decodeTask(id, task) };
}

function decodeTask(id: number, task: WireTask): Omit<TaskRequest, 'id' | 'kind'> {
  const check = (holds: boolean, message: string): void => {
    if (!holds) throw new BadRequestError(id, 'BAD_REQUEST', message);
  };
  const { method, path, query, timeMs, seed, limits, service } = task;
  check(service === undefined || isServiceName(service), 'service is not the IPNS name of a service, k51...');
  check(
    method.length >= 1 && method.length <= METHOD_BYTES_MAX,
    `method must have 1 to ${METHOD_BYTES_MAX} characters`,
  );
  check(path.length <= PATH_BYTES_MAX, `path has ${path.length} characters; ${PATH_BYTES_MAX} is the limit`);
  check(query.length <= QUERY_BYTES_MAX, `query has ${query.length} characters; ${QUERY_BYTES_MAX} is the limit`);
  check(seed.length === SEED_BYTES, `seed must have ${SEED_BYTES} bytes, not ${seed.length}`);
  check(isCount(timeMs), 'timeMs must be milliseconds since 1970');
  check(task.headers.length <= HEADERS_MAX, `at most ${HEADERS_MAX} headers are allowed`);
  const headers: Record<string, string> = Object.create(null);
  let headerBytes = 0;
  for (const { name, value } of task.headers) {
    headerBytes += name.length + value.length;
    check(headerBytes <= HEADER_BYTES_MAX, `headers have more than ${HEADER_BYTES_MAX} characters`);
    headers[name.toLowerCase()] = value;
  }
  if (task.body !== undefined && task.body.length > REQUEST_BODY_BYTES_MAX) {
    throw new BadRequestError(
      id,
      'BODY_TOO_LARGE',
      `The body has ${task.body.length} bytes; ${REQUEST_BODY_BYTES_MAX} is the limit. Publish it and pass its CID.`,
    );
  }
  check(limits !== undefined, 'limits are missing');
  const { fuelMax, memoryPagesMax, outputBytesMax, timeoutMs, priceMaxBytes } = limits!;
  check(isCount(fuelMax), 'limits.fuelMax must be a count below 2^53');
  check(isCount(priceMaxBytes), 'limits.priceMaxBytes must be a count below 2^53');
  check(outputBytesMax <= OUTPUT_BYTES_MAX, `limits.outputBytesMax must be at most ${OUTPUT_BYTES_MAX}`);
  const request: JobRequest = { method, path, query, headers, timeMs, seed };
  if (task.body !== undefined) request.body = task.body;
  return {
    handler: decodeCid(id, task.handler),
    request,
    limits: { fuelMax, memoryPagesMax, outputBytesMax, timeoutMs, priceMaxBytes },
    ...(service === undefined ? {} : { service }),
  };
}

function decodeCid(id: number, bytes: Uint8Array): CID {
  if (bytes.length > CID_BYTES_MAX) {
    throw new BadRequestError(
      id,
      'BAD_REQUEST',
      `handler has ${bytes.length} bytes; a CID has at most ${CID_BYTES_MAX}`,
    );
  }
  try {
    return CID.decode(bytes);
  } catch {
    throw new BadRequestError(id, 'BAD_REQUEST', 'handler is not a CID');
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

export function encodeTaskRequest(
  id: number,
  kind: 'task' | 'quote',
  handler: CID,
  request: JobRequest,
  limits: TaskLimits,
  service?: string,
): Uint8Array {
  const { method, path, query, timeMs, seed, body } = request;
  const headers = Object.entries(request.headers).map(([name, value]) => ({ name, value }));
  const task: WireTask = {
    handler: handler.bytes as Uint8Array<ArrayBuffer>,
    method,
    path,
    query,
    headers,
    timeMs,
    seed: seed as Uint8Array<ArrayBuffer>,
    limits,
  };
  if (service !== undefined) task.service = service;
  if (body !== undefined) task.body = body as Uint8Array<ArrayBuffer>;
  return Request.encode({ id, [kind]: task });
}

export function encodeCancel(id: number): Uint8Array {
  return Request.encode({ id, cancel: true });
}

export function encodeReply(reply: Partial<Reply>): Uint8Array {
  return Reply.encode(reply);
}

export function decodeReply(frame: Uint8Array): Reply {
  return Reply.decode(frame, { limits: { error: { overCredit: { wants: WANTS_MAX } } } });
}

/** What an OVER_CREDIT refusal says beside its message: enough to decide whether to wait, pay or go elsewhere. */
export interface OverCreditFigures {
  balance: number;
  limit: number;
  reserved: number;
  requestedBytes: number;
  /** Milliseconds until time alone makes room; undefined when it never will. */
  waitMs?: number;
  /** CIDs that the provider wants now: serving them over Bitswap is payment. */
  wants: CID[];
}

/** An error that the other end reported. */
export class RemoteError extends WorkswapError {
  readonly overCredit?: OverCreditFigures;

  constructor(failure: Failure) {
    const fault: Fault = failure.fault === 'consumer' || failure.fault === 'handler' ? failure.fault : 'provider';
    super(failure.code, failure.message, { fault, retryable: failure.retryable });
    if (failure.overCredit !== undefined) {
      const { waitMs, wants, ...figures } = failure.overCredit;
      this.overCredit = { ...figures, wants: decodeCids(wants) };
      if (waitMs !== undefined) this.overCredit.waitMs = waitMs;
    }
  }
}

function decodeCids(list: Uint8Array[]): CID[] {
  const cids: CID[] = [];
  for (const bytes of list) {
    try {
      cids.push(CID.decode(bytes));
    } catch {
      // A want that cannot be read is a want that cannot be served; the refusal itself still counts.
    }
  }
  return cids;
}

/** An error as it goes to the other end. What is not ours becomes a plain INTERNAL: its text may hold local paths. */
export function toFailure(error: unknown, overCredit?: OverCreditFigures): Failure {
  if (!(error instanceof WorkswapError)) {
    return { code: 'INTERNAL', message: 'The provider failed; its log says why', fault: 'provider', retryable: true };
  }
  const failure: Failure = {
    code: error.code,
    message: error.peerMessage,
    fault: error.fault,
    retryable: error.retryable,
  };
  if (overCredit !== undefined) {
    const { waitMs, wants, ...figures } = overCredit;
    failure.overCredit = {
      ...figures,
      wants: wants.slice(0, WANTS_MAX).map((cid) => cid.bytes as Uint8Array<ArrayBuffer>),
    };
    if (waitMs !== undefined) failure.overCredit.waitMs = waitMs;
  }
  return failure;
}
