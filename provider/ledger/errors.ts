import { WorkswapError, type WorkswapErrorInit } from '../../sdk/protocol/errors.ts';

/** Why a reservation was refused: the peer's own limit, the pool that all strangers share, or the operator's word. */
export type OverCreditReason = 'limit' | 'pool' | 'blocked';

export interface OverCreditFigures {
  peer: string;
  reason: OverCreditReason;
  /** What the peer owes now, in bytes. */
  balance: number;
  /** The most it may owe, reservations included. */
  limit: number;
  /** Worst-case price of what runs for it now. */
  reserved: number;
  requestedBytes: number;
  /** Time until there is room at the latest, if the peer does nothing; null when time alone never makes room. */
  waitMs: number | null;
}

/** The peer has no room for this request: it has to wait, ask for less, or serve something first. */
export class OverCreditError extends WorkswapError {
  readonly peer: string;
  readonly reason: OverCreditReason;
  readonly balance: number;
  readonly limit: number;
  readonly reserved: number;
  readonly requestedBytes: number;
  readonly waitMs: number | null;

  constructor(figures: OverCreditFigures) {
    super('OVER_CREDIT', overCreditMessage(figures), { fault: 'consumer', retryable: figures.reason !== 'blocked' });
    this.peer = figures.peer;
    this.reason = figures.reason;
    this.balance = figures.balance;
    this.limit = figures.limit;
    this.reserved = figures.reserved;
    this.requestedBytes = figures.requestedBytes;
    this.waitMs = figures.waitMs;
  }
}

function overCreditMessage({ reason, balance, limit, reserved, requestedBytes, waitMs }: OverCreditFigures): string {
  if (reason === 'blocked') return 'This provider does not serve this peer.';
  const asked = `Not enough credit for ${requestedBytes} bytes`;
  const wait =
    waitMs === null
      ? 'Serve blocks that the provider wants, or ask for less.'
      : `Room in ${waitMs} ms at the latest, or at once by serving blocks that the provider wants.`;
  const why =
    reason === 'pool'
      ? 'the credit that all newcomers share is used up'
      : `the balance is ${balance}, ${reserved} are reserved, the limit is ${limit}`;
  return `${asked}: ${why}. ${wait}`;
}

export type LedgerErrorCode =
  | 'INVALID_AMOUNT'
  | 'INVALID_POLICY'
  | 'INVALID_RECORD'
  | 'RESERVATION_CLOSED'
  | 'RECEIPT_REPEATED'
  | 'LEDGER_OUTDATED'
  | 'LEDGER_STOPPED'
  | 'LEDGER_BEHIND';

/** The ledger was asked for something that it must not do. Nothing was changed. */
export class LedgerError extends WorkswapError {
  declare readonly code: LedgerErrorCode;

  constructor(code: LedgerErrorCode, message: string, init?: Partial<WorkswapErrorInit>) {
    super(code, message, { fault: 'provider', ...init });
  }
}

export function stopped(): LedgerError {
  return new LedgerError('LEDGER_STOPPED', 'The score ledger was stopped. Open the store again to go on.');
}

export function repeated(cid: string): LedgerError {
  return new LedgerError(
    'RECEIPT_REPEATED',
    `The receipt ${cid} was settled before, so this very job was done and paid before. Ask with another seed or time.`,
    { fault: 'consumer' },
  );
}
