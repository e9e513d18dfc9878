import { WorkswapError } from '../../../sdk/protocol/index.ts';

export type RecordReason =
  | 'malformed'
  | 'wrong key'
  | 'wrong signature'
  | 'expired'
  | 'lower sequence'
  | 'no descriptor';

/** An IPNS record that is not used, and why. */
export class RecordError extends WorkswapError {
  readonly reason: RecordReason;

  constructor(name: string, reason: RecordReason, detail: string) {
    super('RECORD_REFUSED', `The IPNS record of ${name} is refused, ${reason}: ${detail}`, { fault: 'provider' });
    this.reason = reason;
  }
}

/** A file of a service's key, or its short name, that cannot be used. */
export class ServiceKeyError extends WorkswapError {
  constructor(code: 'SHORT_NAME_INVALID' | 'SERVICE_EXISTS' | 'SERVICE_UNKNOWN' | 'KEYS_UNREADABLE', message: string) {
    super(code, message, { fault: 'consumer' });
  }
}
