import type { Stream } from '@libp2p/interface';
import { encode as encodeVarint } from 'uint8-varint';
import { FrameReader } from '../../sdk/protocol/index.ts';

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
