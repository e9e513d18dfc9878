import { WorkswapError } from '../protocol/index.ts';

/** No provider could be reached, or the connection to it went away. */
export class UnreachableError extends WorkswapError {
  constructor(message: string, cause?: unknown) {
    super('PROVIDER_UNREACHABLE', message, { fault: 'provider', retryable: true, cause });
  }
}

/** The provider answered against the protocol, or its receipt does not say what it did. Do not use it again. */
export class ProviderFaultError extends WorkswapError {
  constructor(message: string, cause?: unknown) {
    super('PROVIDER_MISBEHAVED', message, { fault: 'provider', cause });
  }
}
