import type { Libp2p, PeerId } from '@libp2p/interface';
import { UnreachableError } from '../../../sdk/client/index.ts';
import { WorkswapError } from '../../../sdk/protocol/index.ts';
import { askPeer } from '../../net/index.ts';
import { PinError } from '../errors.ts';
import { decodeAnswerTo, encodeQuestion, PINNING_EXCHANGE, type AnswerTo, type Question } from './wire.ts';

const ASK_TIMEOUT_MS = 30_000;

/**
 * One question about pins to a provider.
 * @throws RefusedError as the provider says; PinError BAD_ANSWER; UnreachableError; the signal's reason
 */
export async function askAboutPins<Ask extends Question['ask']>(
  libp2p: Pick<Libp2p, 'dialProtocol'>,
  peer: PeerId,
  question: Extract<Question, { ask: Ask }>,
  signal: AbortSignal,
): Promise<AnswerTo<Ask>> {
  const deadline = AbortSignal.timeout(ASK_TIMEOUT_MS);
  try {
    const both = AbortSignal.any([deadline, signal]);
    const bytes = await askPeer(libp2p, peer, PINNING_EXCHANGE, encodeQuestion(question), both);
    return decodeAnswerTo(question.ask as Ask, bytes);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof WorkswapError && error.code !== 'DOCUMENT_INVALID' && error.code !== 'BAD_FRAME') throw error;
    if (error instanceof WorkswapError) {
      throw new PinError('BAD_ANSWER', `What ${peer.toString()} answers does not hold: ${error.message}`, error);
    }
    const why = deadline.aborted ? `nothing within ${ASK_TIMEOUT_MS} ms` : (error as Error).message;
    throw new UnreachableError(`${peer.toString()} does not answer about pins: ${why}.`, error);
  }
}
