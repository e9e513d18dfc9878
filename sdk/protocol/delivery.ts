import type { CID } from 'multiformats/cid';
import { rawCid } from './cids.ts';
import { WorkswapError } from './errors.ts';
import type { JobRequest } from './input.ts';
import type { ServiceMessage } from './message.ts';
import { FOLLOW_UPS_MAX, MESSAGE_BODY_BYTES_MAX, SERVICE_MESSAGE_ID_BYTES } from './message-limits.ts';
import { recipientKind } from './recipient.ts';

/** A request with this method is a message: it runs the handler's `deliver`, and is an update. */
export const DELIVER_METHOD = 'DELIVER';

/** A message as it comes to a service; its body is the request's. */
export type Delivery = Pick<ServiceMessage, 'id' | 'from' | 'timeMs' | 'followUps'>;

const FROM = 'from';
const ID = 'message-id';
const TIME = 'message-time';
const FOLLOW_UPS = 'follow-ups';
const HEADERS = [FROM, ID, TIME, FOLLOW_UPS];
/** Digits in their one form. */
const COUNT = /^(?:0|[1-9]\d{0,15})$/;
const ID_TEXT = new RegExp(`^[0-9a-f]{${2 * SERVICE_MESSAGE_ID_BYTES}}$`);

/** A message that comes to a service in another form than a message has. */
export class DeliveryError extends WorkswapError {
  constructor(reason: string) {
    super('BAD_DELIVERY', `A ${DELIVER_METHOD} request is not a message: ${reason}.`, { fault: 'consumer' });
  }
}

export interface DeliveryRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** The request that brings a message to a service. */
export function deliveryRequest({ id, from, timeMs, followUps, body }: Omit<ServiceMessage, 'to'>): DeliveryRequest {
  const headers = {
    [FROM]: from,
    [ID]: Buffer.from(id).toString('hex'),
    [TIME]: String(timeMs),
    [FOLLOW_UPS]: String(followUps),
  };
  return { method: DELIVER_METHOD, path: '/', headers, body };
}

/** The message that a request brings; undefined when it has another method. @throws DeliveryError */
export function deliveryOf(
  request: Pick<JobRequest, 'method' | 'headers'> & Partial<JobRequest>,
): Delivery | undefined {
  if (request.method !== DELIVER_METHOD) return undefined;
  const { headers, path = '/', query = '', body } = request;
  if (path !== '/' || query !== '') throw new DeliveryError('its path is not /');
  if (Object.keys(headers).length !== HEADERS.length)
    throw new DeliveryError(`its headers are not ${HEADERS.join(', ')}`);
  const [from = '', id = '', time = '', followUps = ''] = HEADERS.map((name) => headers[name]);
  if (recipientKind(from) === undefined) throw new DeliveryError(`${FROM} is neither a service nor a peer`);
  if (!ID_TEXT.test(id)) throw new DeliveryError(`${ID} is not ${SERVICE_MESSAGE_ID_BYTES} bytes in hexadecimal`);
  if (!COUNT.test(time) || !Number.isSafeInteger(Number(time))) throw new DeliveryError(`${TIME} is not a count`);
  if (!COUNT.test(followUps) || Number(followUps) > FOLLOW_UPS_MAX) {
    throw new DeliveryError(`${FOLLOW_UPS} is not a count of at most ${FOLLOW_UPS_MAX}`);
  }
  if (body !== undefined && body.length > MESSAGE_BODY_BYTES_MAX) {
    throw new DeliveryError(`its body has more than ${MESSAGE_BODY_BYTES_MAX} bytes`);
  }
  return { id: Buffer.from(id, 'hex'), from, timeMs: Number(time), followUps: Number(followUps) };
}

/** What a message is known by at the service that it comes to, whatever task brings it. */
export function deliveryKey({ from, id }: Pick<Delivery, 'from' | 'id'>): CID {
  return rawCid(new TextEncoder().encode(`${from} `), id);
}
