import type { PeerId, Stream } from '@libp2p/interface';
import {
  BODY_CHUNK_BYTES_MAX,
  BadRequestError,
  FRAME_BYTES_MAX,
  FrameReader,
  FrameWriter,
  WorkswapError,
  decodeRequest,
  encodeReply,
  sealQuote,
  toFailure,
} from '../../sdk/protocol/index.ts';
import type { DecodedRequest, OverCreditFigures } from '../../sdk/protocol/index.ts';
import type { Reply } from '../../sdk/protocol/pb/workswap.js';
import { Cancellation } from '../cancellation.ts';
import { OverCreditError } from '../ledger/index.ts';
import { ByteBudget } from './byte-budget.ts';
import { quoteJob } from './quote-job.ts';
import { runJob } from './run-job.ts';
import type { FinishedJob, Job, Rooms } from './run-job.ts';
import type { JobsStats } from './types.ts';

/** Bytes waiting in the stream above which a job's output waits for the consumer to read. */
const WRITE_HIGH_WATER_BYTES = 1024 * 1024;

/** How long the last replies may take to leave. */
const CLOSE_TIMEOUT_MS = 5000;

type JobRequestFrame = Exclude<DecodedRequest, { kind: 'cancel' }>;

/** One consumer's stream: decodes requests, runs them, sends replies in the order in which jobs finish. */
export class ConsumerStream {
  readonly consumer: PeerId;
  readonly #rooms: Rooms;
  readonly #stream: Stream;
  readonly #writer: FrameWriter;
  readonly #outputs: ByteBudget;
  readonly #allOutputs: ByteBudget;
  readonly #stats: JobsStats;
  readonly #onError: (error: unknown) => void;
  readonly #running = new Map<number, Cancellation>();
  #idle: (() => void) | undefined;
  #stopping = false;

  constructor(
    rooms: Rooms,
    stream: Stream,
    consumer: PeerId,
    shared: { outputs: ByteBudget; stats: JobsStats; onError: (error: unknown) => void },
  ) {
    this.#rooms = rooms;
    this.#stream = stream;
    this.consumer = consumer;
    this.#outputs = new ByteBudget(rooms.limits.outputBytesPerStreamMax);
    this.#allOutputs = shared.outputs;
    this.#stats = shared.stats;
    this.#onError = shared.onError;
    this.#writer = new FrameWriter(stream, (error) => stream.abort(error));
    const reader = new FrameReader(FRAME_BYTES_MAX);
    stream.addEventListener('message', (event) => {
      try {
        reader.push(event.data, (frame) => this.#onFrame(frame));
      } catch (error) {
        // After a frame that cannot be read nothing that follows can be trusted. Say so, then cut.
        this.#reply(0, { error: toFailure(error instanceof WorkswapError ? error : badFrame(error)) });
        this.#abortJobs(new WorkswapError('BAD_FRAME', 'The stream broke', { fault: 'consumer' }));
        void this.#end();
      }
    });
    stream.addEventListener('close', () => this.#onGone());
    stream.addEventListener('remoteCloseWrite', () => {
      this.#onGone();
      void this.#end();
    });
    this.sendTariff();
  }

  sendTariff(): void {
    this.#reply(0, { tariff: this.#rooms.tariff().bytes as Uint8Array<ArrayBuffer> });
  }

  /** Refuses new jobs and waits for those under way; when `signal` fires, they are cancelled and refunded. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#stopping = true;
    if (this.#running.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      signal.addEventListener('abort', () => this.#abortJobs(shuttingDown()), { once: true });
      await promise;
    }
    await this.#end();
  }

  /** Sends what is left, then lets go of the stream whether or not the other side closes its half. */
  async #end(): Promise<void> {
    this.#writer.flush();
    try {
      await this.#stream.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) });
      this.#stream.abort(new Error('The stream has ended'));
    } catch (error) {
      this.#stream.abort(error as Error);
    }
  }

  #onFrame(frame: Uint8Array): void {
    let request: DecodedRequest;
    try {
      request = decodeRequest(frame);
    } catch (error) {
      if (!(error instanceof BadRequestError)) throw error;
      this.#reply(error.id, { error: toFailure(error) });
      return;
    }
    if (request.kind === 'cancel') {
      this.#running
        .get(request.id)
        ?.abort(new WorkswapError('CANCELLED', 'The consumer cancelled the job', { fault: 'consumer' }));
      return;
    }
    const refusal = this.#refusal(request.id);
    if (refusal !== undefined) {
      this.#stats.refused++;
      this.#reply(request.id, { error: toFailure(refusal) });
      return;
    }
    void this.#serve(request);
  }

  #refusal(id: number): WorkswapError | undefined {
    if (this.#stopping) return shuttingDown();
    if (this.#running.has(id)) {
      return new WorkswapError('BAD_REQUEST', `The request id ${id} is under way already`, { fault: 'consumer' });
    }
    const max = this.#rooms.limits.jobsPerStreamMax;
    if (this.#running.size < max) return undefined;
    return new WorkswapError('TOO_MANY_REQUESTS', `${max} requests are under way on this stream; wait for one to end`, {
      fault: 'consumer',
      retryable: true,
    });
  }

  async #serve(request: JobRequestFrame): Promise<void> {
    const { id } = request;
    const cancellation = new Cancellation();
    this.#running.set(id, cancellation);
    this.#stats.running++;
    const job: Job = {
      consumer: this.consumer,
      handler: request.handler,
      request: request.request,
      limits: request.limits,
      ...(request.service === undefined ? {} : { service: request.service }),
    };
    try {
      if (request.kind === 'quote') await this.#quote(id, job, cancellation.signal);
      else await this.#run(id, job, cancellation);
    } catch (error) {
      this.#refuse(id, error, cancellation);
    } finally {
      this.#running.delete(id);
      this.#stats.running--;
      if (this.#running.size === 0) this.#idle?.();
    }
  }

  async #quote(id: number, job: Job, signal: AbortSignal): Promise<void> {
    const quote = await quoteJob(this.#rooms, job, signal, Date.now());
    this.#reply(id, { quote: (await sealQuote(quote, this.#rooms.privateKey)) as Uint8Array<ArrayBuffer> });
  }

  async #run(id: number, job: Job, cancellation: Cancellation): Promise<void> {
    const releaseOwn = await this.#outputs.acquire(job.limits.outputBytesMax, cancellation);
    let releaseShared: (() => void) | undefined;
    try {
      releaseShared = await this.#allOutputs.acquire(job.limits.outputBytesMax, cancellation);
      const finished = await this.#rooms.activity.track(job, runJob(this.#rooms, job, cancellation));
      await this.#deliver(id, finished);
      this.#stats.finished++;
      if (finished.outcome.error !== undefined) this.#stats.failed++;
    } finally {
      releaseOwn();
      releaseShared?.();
    }
  }

  /** The receipt is durable by now: a consumer that does not take the output has paid for it all the same. */
  async #deliver(id: number, { outcome, sealed }: FinishedJob): Promise<void> {
    const { balance, limit } = this.#rooms.scoreLedger.getAccount(this.consumer);
    const end = { receipt: sealed.bytes as Uint8Array<ArrayBuffer>, credit: { balance, limit } };
    if (outcome.error !== undefined) {
      this.#reply(id, { error: { ...outcome.error, retryable: false }, end });
      return;
    }
    const head = outcome.head as Uint8Array<ArrayBuffer>;
    const body = outcome.body as Uint8Array<ArrayBuffer>;
    if (body.length <= BODY_CHUNK_BYTES_MAX) {
      this.#reply(id, body.length === 0 ? { head, end } : { head, body, end });
    } else {
      this.#reply(id, { head });
      for (let offset = 0; offset < body.length; offset += BODY_CHUNK_BYTES_MAX) {
        await this.#writable();
        this.#reply(id, { body: body.subarray(offset, offset + BODY_CHUNK_BYTES_MAX) });
      }
      this.#reply(id, { end });
    }
    await this.#writable();
  }

  /**
   * Waits while the consumer has more unread than the high-water mark. `onDrain()` of js-libp2p resolves once and is
   * never armed again, hence the event.
   */
  async #writable(): Promise<void> {
    if (this.#stream.writeBufferLength <= WRITE_HIGH_WATER_BYTES) return;
    const deadline = AbortSignal.timeout(this.#rooms.limits.deliveryTimeoutMs);
    const slow = (): void => {
      this.#stream.abort(
        new WorkswapError('TOO_SLOW', 'The consumer did not read its output in time', { fault: 'consumer' }),
      );
    };
    deadline.addEventListener('abort', slow, { once: true });
    try {
      while (this.#stream.writeBufferLength > WRITE_HIGH_WATER_BYTES && this.#stream.status === 'open') {
        await new Promise<void>((resolve) => {
          this.#stream.addEventListener('drain', () => resolve(), { once: true });
          this.#stream.addEventListener('close', () => resolve(), { once: true });
        });
      }
    } finally {
      deadline.removeEventListener('abort', slow);
    }
  }

  #refuse(id: number, error: unknown, cancellation: Cancellation): void {
    if (cancellation.aborted) {
      this.#stats.cancelled++;
      this.#reply(id, { error: toFailure(cancellation.reason) });
      return;
    }
    this.#stats.refused++;
    // What the peer is not told, the host has to learn.
    if (!(error instanceof WorkswapError) || error.peerMessage !== error.message) this.#onError(error);
    this.#reply(id, { error: toFailure(error, error instanceof OverCreditError ? this.#figures(error) : undefined) });
  }

  #figures(error: OverCreditError): OverCreditFigures {
    const { balance, limit, reserved, requestedBytes, waitMs } = error;
    const figures: OverCreditFigures = { balance, limit, reserved, requestedBytes, wants: this.#rooms.wants() };
    if (waitMs !== null && Number.isFinite(waitMs)) figures.waitMs = waitMs;
    return figures;
  }

  #reply(id: number, reply: Partial<Reply>): void {
    if (this.#stream.writeStatus !== 'writable') return;
    this.#writer.write(encodeReply({ id, ...reply }));
  }

  #onGone(): void {
    this.#abortJobs(new WorkswapError('CANCELLED', 'The consumer disconnected', { fault: 'consumer' }));
  }

  #abortJobs(reason: WorkswapError): void {
    for (const cancellation of this.#running.values()) cancellation.abort(reason);
  }
}

function badFrame(error: unknown): WorkswapError {
  return new WorkswapError('BAD_FRAME', 'A frame is no Workswap request', { fault: 'consumer', cause: error });
}

export function shuttingDown(): WorkswapError {
  return new WorkswapError('SHUTTING_DOWN', 'The provider is stopping; nothing was charged. Try again later.', {
    fault: 'provider',
    retryable: true,
  });
}
