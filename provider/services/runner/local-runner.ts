import type { PeerId } from '@libp2p/interface';
import { DEFAULT_LIMITS, JobError, normalizeRequest } from '../../../sdk/client/index.ts';
import type { SealedReceipt, TaskLimits } from '../../../sdk/protocol/index.ts';
import type { CancelSignal } from '../../cancellation.ts';
import { isQuery, type Job, type Jobs } from '../../jobs/index.ts';
import type { Outcome, OutcomeError } from '../../sandbox/index.ts';
import type { Hosted } from '../hosting/index.ts';
import type { ResolvedService, ServiceResponse, ServiceRunner } from '../types.ts';

export interface LocalRunnerInit {
  peerId: PeerId;
  /** A hosted service by name or short name, valid now. @throws ServiceError */
  find: (name: string) => Hosted | Promise<Hosted>;
  jobs: Pick<Jobs, 'run' | 'query'>;
  limits?: Partial<TaskLimits>;
}

/**
 * Runs services of this very provider, without the network and without an account: whoever serves visitors through it,
 * a gateway, counts what they cost. An update's receipt is signed with its commit, a query's when somebody asks for it.
 */
export class LocalRunner implements ServiceRunner {
  readonly #init: LocalRunnerInit;
  readonly #limits: TaskLimits;

  constructor(init: LocalRunnerInit) {
    this.#init = init;
    this.#limits = { ...DEFAULT_LIMITS, ...init.limits };
  }

  resolve(name: string): ResolvedService | Promise<ResolvedService> {
    return this.#init.find(name);
  }

  /** @throws JobError with its receipt when the handler failed; ServiceError; what a job throws */
  async run(
    service: ResolvedService,
    request: Parameters<ServiceRunner['run']>[1],
    signal: CancelSignal,
  ): Promise<ServiceResponse> {
    const found = this.#init.find(service.name);
    const job: Job = {
      consumer: this.#init.peerId,
      // The handler of now: whoever resolved the name a moment ago shall not fail on an update of the service.
      handler: (found instanceof Promise ? await found : found).handler,
      request: normalizeRequest(request),
      limits: this.#limits,
      service: service.name,
      isOwn: true,
    };
    const { jobs } = this.#init;
    if (!isQuery(job.request)) {
      const { outcome, sealed } = await jobs.run(job, signal);
      if (outcome.error !== undefined) throw failed(outcome.error, sealed);
      return { ...answerOf(outcome), receipt: async () => sealed };
    }
    const { outcome, cost, output, receipt } = await jobs.query(job, signal);
    if (outcome.error !== undefined) throw failed(outcome.error, await receipt());
    const figures = { priceBytes: cost.priceBytes, fuel: cost.usage.fuel, output };
    return { ...answerOf(outcome), figures, receipt };
  }
}

function failed(error: OutcomeError, sealed: SealedReceipt): JobError {
  return new JobError({ ...error, retryable: false }, sealed);
}

function answerOf({
  status,
  headers,
  body,
}: Pick<Outcome, 'status' | 'headers' | 'body'>): Omit<ServiceResponse, 'receipt'> {
  return { status, headers, body: new WholeBody(body), whole: body };
}

/** A body in one piece, for whoever reads it as a stream. */
class WholeBody {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.#bytes.length > 0) yield this.#bytes;
  }
}
