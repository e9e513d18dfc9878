import { MESSAGE_OVERHEAD_BYTES } from './limits.ts';
import type { MailboxRates } from './types.ts';

const GIB = 2 ** 30;

/**
 * What it costs to keep a message for its whole TTL: it is the promise that is paid, whenever the recipient comes. Both
 * ends compute it from the provider's rates.
 */
export function priceOf(bodyBytes: number, ttlMs: number, rates: MailboxRates): number {
  const bytes = bodyBytes + MESSAGE_OVERHEAD_BYTES;
  const byteSeconds = bytes * Math.ceil(ttlMs / 1000);
  return rates.messagePriceBytes + bytes + Math.ceil((byteSeconds / GIB) * rates.storagePriceBytes);
}
