import { LedgerError } from './errors.ts';

/**
 * The most that one total of an account may reach: 2 PiB. Sums of a few totals then stay far below 2^53, so that all
 * arithmetic on plain numbers is exact.
 */
export const TOTAL_BYTES_MAX = 2 ** 51;

/** @throws LedgerError INVALID_AMOUNT unless `bytes` is an integer from 0 to `TOTAL_BYTES_MAX`. */
export function checkAmount(bytes: number, what: string): void {
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= TOTAL_BYTES_MAX) return;
  throw new LedgerError(
    'INVALID_AMOUNT',
    `${what} must be a whole number of bytes from 0 to ${TOTAL_BYTES_MAX}, not ${bytes}.`,
  );
}

/** @throws LedgerError INVALID_AMOUNT when a total would pass `TOTAL_BYTES_MAX`. */
export function checkTotal(total: number, bytes: number, what: string): void {
  if (total + bytes <= TOTAL_BYTES_MAX) return;
  throw new LedgerError(
    'INVALID_AMOUNT',
    `${what} of this account is full: ${total} + ${bytes} is over ${TOTAL_BYTES_MAX} bytes.`,
  );
}

/** @throws LedgerError INVALID_AMOUNT unless `bytes` is an amount of at most `reserved`. */
export function checkPart(bytes: number, reserved: number, what: string): void {
  checkAmount(bytes, what);
  if (bytes <= reserved) return;
  throw new LedgerError('INVALID_AMOUNT', `${what} of ${bytes} bytes is over the ${reserved} bytes reserved for it.`);
}
