import { encode } from '@ipld/dag-cbor';
import type { Stream } from '@libp2p/interface';
import { encode as encodeVarint } from 'uint8-varint';

import { DocumentError, FrameReader } from '../../../sdk/protocol/index.ts';
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

export function sendFrame(stream: Stream, bytes: Uint8Array): void {
  stream.send(Buffer.concat([encodeVarint(bytes.length), bytes]));
}

/**
 * The one frame that the other side sends on a stream. What follows it is not looked at.
 * @throws FrameError, the signal's reason, or an Error when the stream ends before
 */
export function readFrame(stream: Stream, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const ended = new AbortController();
  const once = { signal: ended.signal };
  const reader = new FrameReader(bytesMax);
  const onMessage = (event: { data: Parameters<FrameReader['push']>[0] }): void => {
    try {
      reader.push(event.data, resolve);
    } catch (error) {
      reject(error as Error);
    }
  };
  const onEnd = (): void => reject(new Error('The stream ended before the message was complete'));
  stream.addEventListener('message', onMessage);
  stream.addEventListener('close', onEnd);
  stream.addEventListener('remoteCloseWrite', onEnd);
  signal.addEventListener('abort', () => reject(signal.reason as Error), once);
  if (signal.aborted) reject(signal.reason as Error);
  return promise.finally(() => {
    ended.abort();
    stream.removeEventListener('message', onMessage);
    stream.removeEventListener('close', onEnd);
    stream.removeEventListener('remoteCloseWrite', onEnd);
  });
}
