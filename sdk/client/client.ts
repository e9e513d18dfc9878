import { getRandomValues } from 'node:crypto';
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface';
import { CID } from 'multiformats/cid';
import {
  FRAME_BYTES_MAX,
  FrameReader,
  FrameWriter,
  ReceiptOpener,
  REQUEST_BODY_BYTES_MAX,
  REQUESTS_UNDER_WAY_MAX,
  SEED_BYTES,
  WORKSWAP_PROTOCOL,
  WorkswapError,
  dagCborCid,
  decodeReply,
  encodeCancel,
  encodeInput,
  encodeTaskRequest,
  openQuote,
  openTariff,
  taskCid,
} from '../protocol/index.ts';
import type { JobRequest, Quote, SealedReceipt, Tariff, TaskLimits } from '../protocol/index.ts';
import type { Reply } from '../protocol/pb/workswap.js';
import { ProviderFaultError, UnreachableError } from './errors.ts';
import { JobError, PendingCall } from './pending-call.ts';
import type { Response } from './response.ts';

export interface CallRequest {
  method?: string;
  /** Path with an optional query string. */
  path?: string;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
  /** Default: now. */
  timeMs?: number;
  /** Default: random. Two calls with equal time, seed and request are the same task. */
  seed?: Uint8Array;
}

/** A task as both ends see it: everything that is needed to run it again. */
export interface PreparedTask {
  task: CID;
  handler: CID;
  input: Uint8Array;
  inputCid: CID;
  request: JobRequest;
  limits: TaskLimits;
  /** IPNS name of the service at whose state it runs. */
  service?: string;
}

export interface ClientInit {
  libp2p: Libp2p;
  connection: Connection;
  /** Called with every receipt that holds, before the response's `receipt` resolves: the place to book and keep it. */
  onReceipt?: (sealed: SealedReceipt) => Promise<void>;
}

export interface CallOptions {
  signal?: AbortSignal;
}

/** The most a job may use unless the caller says otherwise. `priceMaxBytes` is what the provider reserves of our credit. */
export const DEFAULT_LIMITS: TaskLimits = {
  fuelMax: 10_000_000_000,
  memoryPagesMax: 256,
  outputBytesMax: 1024 * 1024,
  timeoutMs: 10_000,
  priceMaxBytes: 32 * 1024 * 1024,
};

const TARIFFS_KEPT_MAX = 8;
/** The longest that opening a stream to the provider may take, dialling included. */
const OPEN_TIMEOUT_MS = 10_000;

interface Pending {
  onReply(reply: Reply): boolean;
  fail(error: Error): void;
}

interface UnderWay {
  pending: Pending;
  /** Lets go of the caller's signal, which may live longer than the call. */
  release?: () => void;
}

/** A consumer's end of the Workswap protocol with one provider: one stream, many jobs at once. */
export class Client {
  readonly providerId: PeerId;
  readonly provider: string;
  readonly consumer: string;
  readonly #libp2p: Libp2p;
  readonly #connection: Connection;
  readonly #onReceipt: ((sealed: SealedReceipt) => Promise<void>) | undefined;
  readonly #underWay = new Map<number, UnderWay>();
  readonly #tariffs: Tariff[] = [];
  /** A tariff that is being checked; receipts that arrive with it wait for it. */
  #opening: Promise<void> | undefined;
  #firstTariff = Promise.withResolvers<Tariff>();
  #stream: Promise<{ stream: Stream; writer: FrameWriter }> | undefined;
  #nextId = 1;
  readonly #receipts = new ReceiptOpener();
  #closed = false;

  constructor(init: ClientInit) {
    this.#libp2p = init.libp2p;
    this.#connection = init.connection;
    this.providerId = init.connection.remotePeer;
    this.provider = init.connection.remotePeer.toString();
    this.consumer = init.libp2p.peerId.toString();
    this.#onReceipt = init.onReceipt;
  }

  /** Fills in what the caller left open, so that the same task can be quoted, called and verified. */
  prepare(
    handler: CID,
    request: CallRequest = {},
    limits: Partial<TaskLimits> = {},
    { service }: { service?: string } = {},
  ): PreparedTask {
    const job = normalizeRequest(request);
    const complete = { ...DEFAULT_LIMITS, ...limits };
    const input = encodeInput(job, this.consumer);
    const inputCid = dagCborCid(input);
    const named = service === undefined ? {} : { service };
    const task = taskCid({ handler, input: inputCid, limits: complete, ...named });
    return { task, handler, input, inputCid, request: job, limits: complete, ...named };
  }

  /**
   * Runs a job and resolves with its response once the head is there.
   *
   * @throws JobError as the provider reported it: OVER_CREDIT with figures, a handler's failure with its receipt, ...
   * @throws UnreachableError when the provider went away
   * @throws ProviderFaultError when its answer does not hold
   */
  async call(
    handler: CID,
    request?: CallRequest,
    limits?: Partial<TaskLimits>,
    options?: CallOptions,
  ): Promise<Response> {
    return this.run(this.prepare(handler, request, limits), options);
  }

  async run(prepared: PreparedTask, { signal }: CallOptions = {}): Promise<Response> {
    const { task, handler, input, inputCid, limits } = prepared;
    const call = new PendingCall(
      {
        task,
        handler,
        input: inputCid,
        inputBytes: input.length,
        provider: this.provider,
        consumer: this.consumer,
        limits,
        isAtState: prepared.service !== undefined,
      },
      {
        open: (bytes, cids) => {
          const [tariff] = this.#tariffs;
          return this.#receipts.open(bytes, tariff === undefined ? cids : { ...cids, tariff: tariff.cid });
        },
        tariff: async (cid) => {
          await this.#opening;
          return this.#tariffs.find((tariff) => tariff.cid.equals(cid));
        },
        record: async (sealed) => this.#onReceipt?.(sealed),
      },
    );
    await this.#send('task', prepared, call, signal);
    return call.response;
  }

  /** The provider's signed upper bound for a task. */
  async quote(
    handler: CID,
    request?: CallRequest,
    limits?: Partial<TaskLimits>,
    { signal }: CallOptions = {},
  ): Promise<Quote & { provider: string }> {
    const prepared = this.prepare(handler, request, limits);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    promise.catch(() => {});
    const pending: Pending = {
      fail: reject,
      onReply(reply) {
        if (reply.error !== undefined) reject(new JobError(reply.error));
        else if (reply.quote !== undefined) resolve(reply.quote);
        else reject(new ProviderFaultError('The provider answered a quote with something else'));
        return true;
      },
    };
    await this.#send('quote', prepared, pending, signal);
    const quote = await openQuote(await promise);
    if (!quote.task.equals(prepared.task) || quote.provider !== this.provider) {
      throw new ProviderFaultError('The quote is for another task or by another provider');
    }
    return quote;
  }

  /** The provider's tariff as it stands now. */
  async tariff(): Promise<Tariff> {
    await this.#open();
    return this.#tariffs[0] ?? this.#firstTariff.promise;
  }

  /** Ends the stream; jobs under way fail and what they burnt is accounted. The connection stays as it is. */
  async close(): Promise<void> {
    this.#closed = true;
    const open = this.#stream;
    this.#failAll(new UnreachableError('The client was closed'));
    if (open === undefined) return;
    await open.then(
      ({ stream, writer }) => {
        writer.flush();
        return stream.close();
      },
      () => {},
    );
  }

  async #send(kind: 'task' | 'quote', prepared: PreparedTask, pending: Pending, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#underWay.size >= REQUESTS_UNDER_WAY_MAX) {
      throw new WorkswapError(
        'TOO_MANY_REQUESTS',
        `${REQUESTS_UNDER_WAY_MAX} requests are under way already; wait for one to end`,
        {
          fault: 'consumer',
          retryable: true,
        },
      );
    }
    const { writer } = await this.#open();
    signal?.throwIfAborted();
    const id = this.#takeId();
    this.#underWay.set(id, { pending, ...(signal === undefined ? {} : this.#cancelOn(signal, id, writer)) });
    writer.write(encodeTaskRequest(id, kind, prepared.handler, prepared.request, prepared.limits, prepared.service));
  }

  #cancelOn(signal: AbortSignal, id: number, writer: FrameWriter): { release: () => void } {
    const cancel = (): void => {
      writer.write(encodeCancel(id));
      const { reason } = signal;
      this.#end(id)?.fail(reason instanceof Error ? reason : new DOMException('The call was aborted', 'AbortError'));
    };
    signal.addEventListener('abort', cancel, { once: true });
    return { release: () => signal.removeEventListener('abort', cancel) };
  }

  /** Forgets a call, and answers what waits for it. */
  #end(id: number): Pending | undefined {
    const ended = this.#underWay.get(id);
    this.#underWay.delete(id);
    ended?.release?.();
    return ended?.pending;
  }

  #takeId(): number {
    do {
      this.#nextId = (this.#nextId % 0x7fffffff) + 1;
    } while (this.#underWay.has(this.#nextId));
    return this.#nextId;
  }

  /** Opens the stream on first use and again after the other end closed it while nothing was under way. */
  async #open(): Promise<{ stream: Stream; writer: FrameWriter }> {
    if (this.#closed) throw new UnreachableError('The client was closed');
    this.#stream ??= this.#openStream();
    const opening = this.#stream;
    const open = await opening;
    if (open.stream.status === 'open') return open;
    // It ended before anybody listened to it, so nobody was told.
    if (this.#stream === opening) this.#stream = undefined;
    throw new UnreachableError(`The connection to ${this.provider} ended before the request was sent`);
  }

  async #openStream(): Promise<{ stream: Stream; writer: FrameWriter }> {
    let stream: Stream;
    try {
      const signal = AbortSignal.timeout(OPEN_TIMEOUT_MS);
      stream = await this.#libp2p.dialProtocol(this.#connection.remotePeer, WORKSWAP_PROTOCOL, { signal });
    } catch (error) {
      this.#stream = undefined;
      throw new UnreachableError(
        `${this.provider} does not answer ${WORKSWAP_PROTOCOL}: ${(error as Error).message}`,
        error,
      );
    }
    const lost = (error?: Error): void => {
      this.#stream = undefined;
      const ended = new UnreachableError(`The connection to ${this.provider} ended while the job was under way`, error);
      this.#firstTariff.promise.catch(() => {});
      this.#firstTariff.reject(ended);
      this.#firstTariff = Promise.withResolvers<Tariff>();
      this.#failAll(ended);
    };
    const reader = new FrameReader(FRAME_BYTES_MAX);
    stream.addEventListener('message', (event) => {
      try {
        reader.push(event.data, (frame) => this.#onReply(decodeReply(frame)));
      } catch (error) {
        this.#failAll(new ProviderFaultError('The provider sent something that is no reply', error));
        stream.abort(error as Error);
      }
    });
    stream.addEventListener('close', (event) => lost(event.error));
    stream.addEventListener('remoteCloseWrite', () => lost());
    return { stream, writer: new FrameWriter(stream, (error) => stream.abort(error)) };
  }

  #onReply(reply: Reply): void {
    if (reply.id === 0) {
      if (reply.tariff !== undefined) this.#opening = this.#onTariff(reply.tariff);
      if (reply.error !== undefined) this.#failAll(new JobError(reply.error));
      return;
    }
    if (this.#underWay.get(reply.id)?.pending.onReply(reply)) this.#end(reply.id);
  }

  async #onTariff(bytes: Uint8Array): Promise<void> {
    try {
      const tariff = await openTariff(bytes);
      if (tariff.provider !== this.provider) throw new ProviderFaultError('The tariff is signed by somebody else');
      this.#tariffs.unshift(tariff);
      this.#tariffs.length = Math.min(this.#tariffs.length, TARIFFS_KEPT_MAX);
      this.#firstTariff.resolve(tariff);
    } catch (error) {
      this.#firstTariff.reject(error as Error);
      this.#failAll(new ProviderFaultError('The tariff of the provider does not hold', error));
    }
  }

  #failAll(error: Error): void {
    for (const id of [...this.#underWay.keys()]) this.#end(id)?.fail(error);
  }
}

/** A request with everything that the caller left open filled in. @throws WorkswapError BODY_TOO_LARGE */
export function normalizeRequest(request: CallRequest): JobRequest {
  const [path, query] = splitPath(request.path ?? '/');
  const body = typeof request.body === 'string' ? new TextEncoder().encode(request.body) : request.body;
  if (body !== undefined && body.length > REQUEST_BODY_BYTES_MAX) {
    throw new WorkswapError(
      'BODY_TOO_LARGE',
      `The body has ${body.length} bytes; ${REQUEST_BODY_BYTES_MAX} is the limit. Publish it and pass its CID.`,
      { fault: 'consumer' },
    );
  }
  const headers: Record<string, string> = {};
  for (const name of Object.keys(request.headers ?? {})) headers[name.toLowerCase()] = request.headers![name]!;
  const job: JobRequest = {
    method: request.method ?? (body === undefined ? 'GET' : 'POST'),
    path,
    query,
    headers,
    timeMs: request.timeMs ?? Date.now(),
    seed: request.seed ?? randomSeed(),
  };
  if (body !== undefined) job.body = body;
  return job;
}

/** Random bytes by the page: a call into the system for 32 of them takes longer than the rest of a request. */
const page = new Uint8Array(128 * SEED_BYTES);
let used = page.length;

function randomSeed(): Uint8Array {
  if (used === page.length) {
    getRandomValues(page);
    used = 0;
  }
  const seed = page.slice(used, used + SEED_BYTES);
  // Nobody who reads the page later shall find it.
  page.fill(0, used, used + SEED_BYTES);
  used += SEED_BYTES;
  return seed;
}

function splitPath(path: string): [string, string] {
  const at = path.indexOf('?');
  const [name, query] = at < 0 ? [path, ''] : [path.slice(0, at), path.slice(at + 1)];
  return [name.startsWith('/') ? name : `/${name}`, query];
}
