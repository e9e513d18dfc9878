import { WorkswapError } from '../../sdk/protocol/index.ts';

/** What a recipient refuses for good. */
const FINAL_CODES = new Set([
  // At a service.
  'BAD_DELIVERY',
  'MESSAGE_EXPIRED',
  'PRICE_EXCEEDED',
  // At a mailbox: the recipient's own rules.
  'SENDER_REFUSED',
]);

/** Whether the same message would be refused again, whenever it came. All else is tried until it expires. */
export function isFinal(error: unknown): boolean {
  if (!(error instanceof WorkswapError)) return false;
  return !error.retryable && (FINAL_CODES.has(error.code) || error.fault === 'handler');
}
