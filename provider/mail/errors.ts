import { WorkswapError } from '../../sdk/protocol/index.ts';

export type MailErrorCode =
  | 'NO_MAILBOX'
  | 'NO_MAIL_KEY'
  | 'LETTER_INVALID'
  | 'LETTER_UNKNOWN'
  | 'ATTACHMENT_INVALID'
  | 'TOO_MANY_RECIPIENTS'
  | 'CONTACT_UNKNOWN'
  | 'CONTACT_EXISTS'
  | 'CONTACT_INVALID'
  | 'KEY_MISMATCH';

/** Mail cannot be sent, opened or found as asked. */
export class MailError extends WorkswapError {
  declare readonly code: MailErrorCode;

  constructor(code: MailErrorCode, message: string, cause?: unknown) {
    super(code, message, { fault: 'consumer', cause });
  }
}
