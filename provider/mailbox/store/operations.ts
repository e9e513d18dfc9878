import type { MailboxErrorCode } from '../errors.ts';
import type { MailboxLimits } from '../limits.ts';
import type { MailboxSettings, MessageState } from '../types.ts';

/** What changes the store; every operation is answered when it is durable. */
export type Operation =
  | { do: 'open'; peer: string; settings: MailboxSettings }
  | { do: 'put'; put: Put }
  /** What waits in it is ended bit by bit, by sweeps; from now on nobody gets it. */
  | { do: 'close'; peer: string }
  | { do: 'acknowledge'; mailbox: number; sequences: readonly number[] }
  /** A file that is in the block store by now is kept from here on. */
  | { do: 'hold'; root: Uint8Array; sender: string; bytes: number; ttlMs: number }
  /** Ends what has expired and forgets what ended long ago, some of each. */
  | { do: 'sweep'; rowsMax: number };

export interface Put {
  to: string;
  from: string;
  id: Uint8Array;
  body: Uint8Array;
  ttlMs: number;
  /** What the recipient is charged; 0 when the sender pays. */
  recipientPriceBytes: number;
}

export type Result =
  | { is: 'opened'; mailbox: number }
  | { is: 'closed'; messages: number; recipientPriceBytes: number }
  | { is: 'stored'; mailbox: number; sequence: number }
  /** It was put before: what became of it. */
  | { is: 'known'; state: MessageState }
  | { is: 'acknowledged'; count: number }
  | { is: 'held' }
  | { is: 'swept'; expired: number; count: number }
  | { is: 'refused'; code: MailboxErrorCode; message: string };

/** One transaction. The bodies of all puts stand in one buffer, since that is handed over to the thread without a copy. */
export interface Batch {
  operations: Operation[];
  bodies: Uint8Array;
  /** Where the body of each put ends; in the operations themselves they are empty. */
  bodyEnds: number[];
  limits: MailboxLimits;
  mailboxMs: number;
  wallMs: number;
}

export function refused(code: MailboxErrorCode, message: string): Result {
  return { is: 'refused', code, message };
}
