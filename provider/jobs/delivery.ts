import { deliveryKey, DeliveryError, recipientKind, WorkswapError, type Delivery } from '../../sdk/protocol/index.ts';
import { STATE_LIMITS, type UpdateOptions } from '../services/state/index.ts';
import type { Job, Rooms } from './run-job.ts';
import { UPDATE_AGE_MS_MAX } from './types.ts';

/**
 * Whether a message may be taken: from whom it says it is, and not too old to be known, should it have come before. A peer
 * sends in its own name; in a service's name send its endpoints, and the provider's own deliverer.
 *
 * @throws DeliveryError, WorkswapError MESSAGE_EXPIRED, MESSAGE_EARLY, SENDER_UNPROVEN, OverCreditError
 */
export async function checkDelivery(
  rooms: Rooms,
  job: Job,
  { from, timeMs }: Delivery,
  signal: AbortSignal,
): Promise<void> {
  const nowMs = Date.now();
  const isEarly = timeMs > nowMs + UPDATE_AGE_MS_MAX;
  if (isEarly || timeMs < nowMs - STATE_LIMITS.messageAgeMsMax) {
    const text = `The message is of ${timeMs} (milliseconds since 1970): too far from this provider's clock, ${nowMs}.`;
    throw new WorkswapError(isEarly ? 'MESSAGE_EARLY' : 'MESSAGE_EXPIRED', text, {
      fault: 'consumer',
      retryable: isEarly,
    });
  }
  // A visitor of our own gateway could otherwise speak in the name of all that is here.
  if (job.isOwn === true && job.isDelivery !== true) throw new DeliveryError('it comes from a visitor');
  if (job.isOwn === true || from === job.consumer.toString()) return;
  if (recipientKind(from) === 'service') return rooms.speaksFor(from, job.consumer, signal);
  throw new WorkswapError('SENDER_UNPROVEN', `${job.consumer.toString()} sends a message in the name of ${from}.`, {
    fault: 'consumer',
  });
}

/** So a message is taken once, by whatever task it comes. */
export function onceFor(delivery: Delivery): NonNullable<UpdateOptions['delivery']> {
  return { key: deliveryKey(delivery), expiresMs: delivery.timeMs + STATE_LIMITS.messageAgeMsMax + UPDATE_AGE_MS_MAX };
}

/** @throws WorkswapError NO_DELIVER */
export function assertDelivers({ cid, hasDeliver }: { cid: string; hasDeliver: boolean }): void {
  if (hasDeliver) return;
  throw new WorkswapError('NO_DELIVER', `The handler ${cid} takes no messages: it does not export deliver.`, {
    fault: 'handler',
  });
}
