import { WorkswapError, type Fault } from '../../sdk/protocol/index.ts';

export type ServiceErrorCode =
  | 'SERVICE_NOT_FOUND'
  | 'SERVICE_NOT_HOSTED'
  | 'SERVICE_EXPIRED'
  | 'SERVICE_CHANGED'
  | 'HOSTING_REFUSED'
  | 'HOSTING_LIMIT'
  | 'CONTENT_TOO_LARGE'
  | 'STATE_EXISTS'
  | 'ROLLBACK_STALE'
  | 'TASK_EXPIRED'
  | 'NO_ENDPOINT'
  | 'TOO_OFTEN'
  | 'BAD_ANSWER';

const FAULTS: Partial<Record<ServiceErrorCode, Fault>> = {
  SERVICE_NOT_FOUND: 'consumer',
  SERVICE_CHANGED: 'consumer',
  HOSTING_REFUSED: 'consumer',
  HOSTING_LIMIT: 'consumer',
  CONTENT_TOO_LARGE: 'consumer',
  STATE_EXISTS: 'consumer',
  ROLLBACK_STALE: 'consumer',
  TASK_EXPIRED: 'consumer',
  TOO_OFTEN: 'consumer',
};
const RETRYABLE: readonly ServiceErrorCode[] = ['SERVICE_NOT_FOUND', 'NO_ENDPOINT', 'TOO_OFTEN'];

/** A service cannot be found, hosted, used or rolled back as asked. */
export class ServiceError extends WorkswapError {
  declare readonly code: ServiceErrorCode;

  constructor(code: ServiceErrorCode, message: string, cause?: unknown) {
    super(code, message, { fault: FAULTS[code] ?? 'provider', retryable: RETRYABLE.includes(code), cause });
  }
}
