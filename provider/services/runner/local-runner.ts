import type { PeerId } from '@libp2p/interface';
import { DEFAULT_LIMITS, JobError, normalizeRequest } from '../../../sdk/client/index.ts';
import type { TaskLimits } from '../../../sdk/protocol/index.ts';
import type { FinishedJob, Job } from '../../jobs/index.ts';
import type { Hosted } from '../hosting/index.ts';
import type { ResolvedService, ServiceResponse, ServiceRunner } from '../types.ts';

export interface LocalRunnerInit {
  peerId: PeerId;
  /** A hosted service by name or short name, valid now. @throws ServiceError */
  find: (name: string) => Promise<Hosted>;
  run: (job: Job, signal: AbortSignal) => Promise<FinishedJob>;
  limits?: Partial<TaskLimits>;
}

/**
 * Runs services of this very provider, without the network and without an account: whoever serves visitors through it,
 * a gateway, counts what they cost. Receipts are signed all the same.
 */
export class LocalRunner implements ServiceRunner {
  readonly #init: LocalRunnerInit;
  readonly #limits: TaskLimits;

  constructor(init: LocalRunnerInit) {
    this.#init = init;
    this.#limits = { ...DEFAULT_LIMITS, ...init.limits };
  }

  async resolve(name: string): Promise<ResolvedService> {
    const { handler, site, descriptor, sponsor, name: service } = await this.#init.find(name);
    return { name: service, handler, site, descriptor, sponsor };
  }

  /** @throws JobError with its receipt when the handler failed; ServiceError; what a job throws */
  async run(
    service: ResolvedService,
    request: Parameters<ServiceRunner['run']>[1],
    signal: AbortSignal,
  ): Promise<ServiceResponse> {
    const job: Job = {
      consumer: this.#init.peerId,
      // The handler of now: whoever resolved the name a moment ago shall not fail on an update of the service.
      handler: (await this.#init.find(service.name)).handler,
      request: normalizeRequest(request),
      limits: this.#limits,
      service: service.name,
      isOwn: true,
    };
    const { outcome, sealed } = await this.#init.run(job, signal);
    if (outcome.error !== undefined) throw new JobError({ ...outcome.error, retryable: false }, sealed);
    const { status, headers, body } = outcome;
    return { status, headers, body: once(body), whole: body, receipt: Promise.resolve(sealed) };
  }
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (body.length > 0) yield body;
}
