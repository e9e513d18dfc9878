import { WorkswapError } from '../../sdk/protocol/index.ts';

/** A router did not answer in time, or with something that is no answer. Other routers and a later search may do better. */
export class RouterError extends WorkswapError {
  readonly router: string;

  constructor(router: string, reason: string, cause?: unknown) {
    super('ROUTER_FAILED', `The router ${router} ${reason}`, { fault: 'provider', retryable: true, cause });
    this.router = router;
  }
}
