import { encode } from '@ipld/dag-cbor';
import { DocumentError, WorkswapError, type Fault } from '../../sdk/protocol/index.ts';
import { decodeMap, isMap } from '../../sdk/protocol/signed.ts';

const ERROR_CODE_LENGTH_MAX = 64;
const ERROR_MESSAGE_LENGTH_MAX = 512;

/** The other side refuses. */
export class RefusedError extends WorkswapError {}

export function encodeAnswer(answer: object): Uint8Array {
  return encode({ ok: answer });
}

export function encodeRefusal(error: unknown): Uint8Array {
  return encode({ error: refusalFields(error) });
}

/** What the other side is told of an error: nothing of one that should not be. */
export function refusalFields(error: unknown): object {
  if (!(error instanceof WorkswapError)) {
    return { code: 'INTERNAL', message: 'The provider failed; its log says why', fault: 'provider', retryable: true };
  }
  const { code, peerMessage: message, fault, retryable } = error;
  return { code, message, fault, retryable };
}

/** What stands in `ok`. @throws RefusedError when it is a refusal, DocumentError when it is neither */
export function decodeAnswer(bytes: Uint8Array): Record<string, unknown> {
  const { ok, error } = decodeMap('answer', bytes);
  if (isMap(ok)) return ok;
  throw refusalOf(error);
}

/** What stands in `error`. @throws DocumentError when it is none */
export function refusalOf(error: unknown): RefusedError {
  if (!isMap(error)) throw new DocumentError('message', 'it has neither ok nor error');
  const fault: Fault = error['fault'] === 'consumer' || error['fault'] === 'handler' ? error['fault'] : 'provider';
  const code = readable(error['code'], ERROR_CODE_LENGTH_MAX);
  const message = readable(error['message'], ERROR_MESSAGE_LENGTH_MAX);
  return new RefusedError(code, message, { fault, retryable: error['retryable'] === true });
}

/** What a stranger wrote ends up on a terminal. */
function readable(value: unknown, lengthMax: number): string {
  if (typeof value !== 'string') throw new DocumentError('message', 'its error has no code or no message');
  return value.slice(0, lengthMax).replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
}
