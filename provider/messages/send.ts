import { randomBytes } from 'node:crypto';
import type { Consumer } from '../consumer.ts';
import {
  deliveryRequest,
  FOLLOW_UPS_MAX,
  SERVICE_MESSAGE_ID_BYTES,
  type SealedReceipt,
} from '../../sdk/protocol/index.ts';

/**
 * A message of a peer to a service: taken when it resolves.
 * @throws JobError NO_DELIVER, HANDLER_FAILED, ... as the service refuses it; ServiceError when it is not found
 */
export async function sendMessage(
  node: Pick<Consumer, 'runner' | 'libp2p'>,
  service: string,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<{ id: Uint8Array; sealed: SealedReceipt }> {
  const id = randomBytes(SERVICE_MESSAGE_ID_BYTES);
  const from = node.libp2p.peerId.toString();
  const request = deliveryRequest({ id, from, timeMs: Date.now(), followUps: FOLLOW_UPS_MAX, body });
  const response = await node.runner.run(await node.runner.resolve(service, signal), request, signal);
  for await (const _ of response.body);
  return { id, sealed: await response.receipt() };
}
