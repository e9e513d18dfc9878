import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { openAcceptance, sealHostOrder, sealRollback, type Acceptance } from '../../../sdk/protocol/index.ts';
import { ServiceError } from '../errors.ts';
import { SERVICES_LIMITS } from '../limits.ts';
import { ask, decodeHostAnswer, decodeResolveAnswer, decodeRollbackAnswer, type ResolveAnswer } from '../net/index.ts';
import type { Publication } from './publication.ts';

const { hostTimeoutMs, askTimeoutMs } = SERVICES_LIMITS;
/** An order that is not carried out by then is not carried out at all. */
const ORDER_MS = 10 * 60_000;

/**
 * Asks a connected provider to host what was published. It fetches handler and site from us by Bitswap, so our node has
 * to hold them and to stay until the answer.
 *
 * @returns the provider's acceptance, checked; undefined when the descriptor takes it off the list of endpoints
 * @throws RefusedError as the provider says; ServiceError BAD_ANSWER, NO_ENDPOINT
 */
export async function hostAt(
  libp2p: Libp2p,
  peer: PeerId,
  { sealed, record, descriptor }: Publication,
  key: PrivateKey,
  { commit, signal }: { commit?: CID | undefined; signal: AbortSignal },
): Promise<(Acceptance & { provider: string }) | undefined> {
  const order = await sealHostOrder(
    {
      descriptor: sealed.cid,
      provider: peer.toString(),
      maintainer: libp2p.peerId.toString(),
      expiresMs: Date.now() + ORDER_MS,
      ...(commit === undefined ? {} : { commit }),
    },
    key,
  );
  const question = { ask: 'host', record, descriptor, order } as const;
  const { acceptance } = await ask(libp2p, peer, question, decodeHostAnswer, { timeoutMs: hostTimeoutMs, signal });
  if (acceptance === undefined) return undefined;
  const opened = await openAcceptance(acceptance);
  if (opened.provider === peer.toString() && opened.descriptor.equals(sealed.cid)) return opened;
  throw new ServiceError('BAD_ANSWER', `${peer.toString()} answers with an acceptance of something else.`);
}

/** What a connected peer knows of a name. @throws RefusedError, ServiceError */
export function askAbout(libp2p: Libp2p, peer: PeerId, name: string, signal: AbortSignal): Promise<ResolveAnswer> {
  return ask(libp2p, peer, { ask: 'resolve', name }, decodeResolveAnswer, { timeoutMs: askTimeoutMs, signal });
}

/** Orders a provider to set a service's state back. @throws RefusedError ROLLBACK_STALE, UNKNOWN_COMMIT */
export async function rollBackAt(
  libp2p: Libp2p,
  peer: PeerId,
  commits: { from: CID; to: CID },
  key: PrivateKey,
  signal: AbortSignal,
): Promise<{ commit: CID; root: CID }> {
  const question = { ask: 'rollback', order: await sealRollback(commits, key) } as const;
  return ask(libp2p, peer, question, decodeRollbackAnswer, { timeoutMs: hostTimeoutMs, signal });
}
