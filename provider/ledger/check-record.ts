import { LedgerError } from './errors.ts';
import type { LedgerRecord } from './types.ts';

/** A receipt is a few hundred bytes; whoever sends more wants to fill our disk. */
export const RECORD_BYTES_MAX = 64 * 1024;
const CID_LENGTH_MAX = 256;

/** @throws LedgerError INVALID_RECORD */
export function checkRecord({ cid, bytes }: LedgerRecord): void {
  if (cid.length === 0 || cid.length > CID_LENGTH_MAX) {
    throw new LedgerError(
      'INVALID_RECORD',
      `The CID of a receipt has 1 to ${CID_LENGTH_MAX} characters, not ${cid.length}.`,
    );
  }
  if (bytes.length > RECORD_BYTES_MAX) {
    throw new LedgerError('INVALID_RECORD', `A receipt has at most ${RECORD_BYTES_MAX} bytes, not ${bytes.length}.`);
  }
}
