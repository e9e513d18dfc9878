import { encode } from '@ipld/dag-cbor';

import { DocumentError } from '../../../sdk/protocol/index.ts';
import { decodeMap, isCount, isMap } from '../../../sdk/protocol/signed.ts';
import { ERROR_CODE_LENGTH_MAX, ERROR_MESSAGE_LENGTH_MAX } from './constants.ts';

/** Why a question is not answered. */
export interface Refusal {
  code: string;
  message: string;
  retryMs?: number;
}

export type Answer = { statement: Uint8Array } | { refusal: Refusal };

export function encodeAnswer(answer: Answer): Uint8Array {
  return encode('statement' in answer ? { statement: answer.statement } : { error: answer.refusal });
}

/** @throws DocumentError */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const { statement, error } = decodeMap('answer', bytes);
  if (statement instanceof Uint8Array) return { statement };
  if (!isMap(error)) throw new DocumentError('answer', 'it has neither a statement nor an error');
  const { code, message, retryMs } = error;
  const refusal: Refusal = {
    code: readable(code, ERROR_CODE_LENGTH_MAX),
    message: readable(message, ERROR_MESSAGE_LENGTH_MAX),
  };
  if (isCount(retryMs)) refusal.retryMs = retryMs;
  return { refusal };
}

/** What a stranger wrote ends up on a terminal. */
function readable(value: unknown, lengthMax: number): string {
  if (typeof value !== 'string') throw new DocumentError('answer', 'its error has no code or no message');
  return value.slice(0, lengthMax).replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
}
