import { createHash } from 'node:crypto';
import type { PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { DEFAULT_LIMITS, JobError, normalizeRequest, type CallRequest } from '../../sdk/client/index.ts';
import {
  deliveryRequest,
  encodeMessage,
  recipientKind,
  WorkswapError,
  type ServiceMessage,
} from '../../sdk/protocol/index.ts';
import type { Jobs } from '../jobs/index.ts';
import type { MailboxClient } from '../mailbox/index.ts';
import type { HostedService, ServiceRunner } from '../services/index.ts';
import { Sponsoring } from '../services/index.ts';
import { Tally } from '../tally.ts';
import type { Deliver } from './deliverer.ts';
import { SPENDING_SERVICES_MAX, type DeliveryLimits } from './limits.ts';

export interface RoutesInit {
  peerId: PeerId;
  mailboxes: Pick<MailboxClient, 'send'>;
  /** A service that is here. */
  hosted: (name: string) => HostedService | undefined;
  jobs: Pick<Jobs, 'run'>;
  /** Services that are elsewhere. */
  runner: ServiceRunner;
  limits: DeliveryLimits;
}

/**
 * A service may be asked again within this time with the very same task, and gives the same answer and receipt; later the
 * message's id says that it was delivered.
 */
const SAME_TASK_MS = 120_000;

/** The ways to recipients: a peer's mailboxes, a service here, a service elsewhere. */
export function routesOf(init: RoutesInit): Deliver {
  const { limits } = init;
  const spending = new Sponsoring({
    sponsoredBytesPerVisitorMax: limits.servicePriceBytesMax,
    sponsoredVisitorsMax: SPENDING_SERVICES_MAX,
  });
  /** Messages of a service that are on their way, each of which may cost the most. */
  const underWay = new Tally();
  return async (message, options) => {
    const { from } = message;
    if (!spending.covers(from, '', (underWay.of(from) + 1) * limits.priceBytesMax)) {
      const text = `The messages of ${from} cost more in this hour than ${limits.servicePriceBytesMax} bytes; the rest waits.`;
      throw new WorkswapError('SPENT', text, { fault: 'provider', retryable: true });
    }
    underWay.add(from);
    try {
      await send(init, message, options, (bytes) => spending.add(from, '', bytes));
    } finally {
      underWay.remove(from);
    }
  };
}

async function send(
  init: RoutesInit,
  message: ServiceMessage,
  { ttlMs, signal }: Parameters<Deliver>[1],
  spend: (bytes: number) => void,
): Promise<void> {
  const { to, id } = message;
  if (recipientKind(to) === 'peer') {
    const options = { id, ttlMs, priceAllMaxBytes: init.limits.priceBytesMax, signal };
    const { copies } = await init.mailboxes.send(peerIdFromString(to), encodeMessage(message), options);
    spend(copies.reduce((sum, { priceBytes = 0 }) => sum + priceBytes, 0));
    return;
  }
  try {
    spend(await toService(init, message, signal));
  } catch (error) {
    if (error instanceof JobError && error.receipt !== undefined) spend(error.receipt.receipt.priceBytes);
    // Our last attempt came there, and its answer did not come here.
    if (!(error instanceof WorkswapError && error.code === 'ALREADY_APPLIED')) throw error;
  }
}

/** Answers what it cost. */
async function toService(
  { peerId, hosted, jobs, runner, limits }: RoutesInit,
  message: ServiceMessage,
  signal: AbortSignal,
): Promise<number> {
  const request = requestOf(message);
  const service = hosted(message.to);
  if (service === undefined) {
    const response = await runner.run(await runner.resolve(message.to, signal), request, signal);
    for await (const _ of response.body);
    return (await response.receipt()).receipt.priceBytes;
  }
  const { handler, name } = service;
  const job = {
    consumer: peerId,
    handler,
    request: normalizeRequest(request),
    limits: { ...DEFAULT_LIMITS, priceMaxBytes: limits.priceBytesMax },
    service: name,
    isOwn: true,
    isDelivery: true,
  };
  const { outcome, sealed } = await jobs.run(job, signal);
  if (outcome.error !== undefined) throw new JobError({ ...outcome.error, retryable: false }, sealed);
  return sealed.receipt.priceBytes;
}

/** The task's time is about now, as the handler's clock, and the same for attempts that follow each other. */
function requestOf(message: ServiceMessage): CallRequest {
  const { id, timeMs: sentMs } = message;
  const timeMs = sentMs + Math.floor(Math.max(0, Date.now() - sentMs) / SAME_TASK_MS) * SAME_TASK_MS;
  const seed = createHash('sha256').update(id).update(String(timeMs)).digest();
  return { ...deliveryRequest(message), timeMs, seed };
}
