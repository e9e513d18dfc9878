import type { Libp2p, PeerId } from '@libp2p/interface';
import { WorkswapError } from '../../../sdk/protocol/index.ts';
import { askPeer } from '../../net/index.ts';
import { ServiceError } from '../errors.ts';
import { SERVICES_EXCHANGE } from './constants.ts';
import { encodeQuestion, type Question } from './wire.ts';

/**
 * One question to one peer, and its answer decoded.
 * @throws RefusedError as the peer says; ServiceError BAD_ANSWER, NO_ENDPOINT when there is none; the signal's reason
 */
export async function ask<T>(
  libp2p: Pick<Libp2p, 'dialProtocol'>,
  peer: PeerId,
  question: Question,
  decode: (bytes: Uint8Array) => T,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const both = AbortSignal.any([deadline, signal]);
  let bytes: Uint8Array;
  try {
    bytes = await askPeer(libp2p, peer, SERVICES_EXCHANGE, encodeQuestion(question), both);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof WorkswapError) throw badAnswer(peer, error);
    const why = deadline.aborted ? `nothing within ${timeoutMs} ms` : (error as Error).message;
    throw new ServiceError('NO_ENDPOINT', `${peer.toString()} does not answer about services: ${why}.`, error);
  }
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof WorkswapError && error.code !== 'DOCUMENT_INVALID') throw error;
    throw badAnswer(peer, error as Error);
  }
}

function badAnswer(peer: PeerId, cause: Error): ServiceError {
  return new ServiceError('BAD_ANSWER', `What ${peer.toString()} answers does not hold: ${cause.message}`, cause);
}
