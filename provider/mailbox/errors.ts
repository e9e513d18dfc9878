import { WorkswapError, type Fault } from '../../sdk/protocol/index.ts';

export type MailboxErrorCode =
  | 'MAILBOX_UNKNOWN'
  | 'MAILBOX_REFUSED'
  | 'MAILBOX_LIMIT'
  | 'MAILBOX_FULL'
  | 'MAILBOX_CLOSING'
  | 'SENDER_LIMIT'
  | 'SENDER_REFUSED'
  | 'STORE_LIMIT'
  | 'FILE_TOO_LARGE'
  | 'TTL_REFUSED'
  | 'PRICE_EXCEEDED'
  | 'NOT_PAID_FOR'
  | 'TOO_MANY_TAKEN'
  | 'TOO_MANY_REQUESTS'
  | 'BAD_REQUEST'
  | 'NO_ENDPOINT'
  | 'BAD_ANSWER'
  | 'SHUTTING_DOWN';

const FAULTS: Partial<Record<MailboxErrorCode, Fault>> = {
  STORE_LIMIT: 'provider',
  NO_ENDPOINT: 'provider',
  BAD_ANSWER: 'provider',
  SHUTTING_DOWN: 'provider',
};
const RETRYABLE: readonly MailboxErrorCode[] = [
  'MAILBOX_FULL',
  'MAILBOX_CLOSING',
  'SENDER_LIMIT',
  'STORE_LIMIT',
  'NOT_PAID_FOR',
  'TOO_MANY_REQUESTS',
  'NO_ENDPOINT',
  'SHUTTING_DOWN',
];

/** A message cannot be kept, found or handed over as asked. */
export class MailboxError extends WorkswapError {
  declare readonly code: MailboxErrorCode;

  constructor(code: MailboxErrorCode, message: string, cause?: unknown) {
    super(code, message, { fault: FAULTS[code] ?? 'consumer', retryable: RETRYABLE.includes(code), cause });
  }
}
