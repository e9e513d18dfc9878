import type { Stream, StreamMessageEvent, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface';
import type { Registrar } from '@libp2p/interface-internal';
import { Uint8ArrayList } from 'uint8arraylist';

type Create = (components: never) => StreamMuxerFactory;

/**
 * Answers at once, in one frame, peers that open a stream and name its protocol without waiting, as Go does: they write
 * both lines of multistream-select and go on. The library reads them byte by byte, answers each line in a frame of its own,
 * and gives what came behind them to the reader a millisecond later; boxo opens a stream for each message. A stream that
 * begins otherwise, or with less than both lines, is left to the library.
 */
export function quickSelect<T extends Create>(create: T): T {
  const wrapped = (components: { registrar: Registrar }): StreamMuxerFactory => {
    const factory = create(components as never);
    const { createStreamMuxer } = factory;
    factory.createStreamMuxer = (connection) => {
      const muxer = createStreamMuxer.call(factory, connection);
      selectBeforehand(muxer, (protocol) => isHandled(components.registrar, protocol));
      return muxer;
    };
    return factory;
  };
  return wrapped as unknown as T;
}

function isHandled(registrar: Registrar, protocol: string): boolean {
  try {
    registrar.getHandler(protocol);
    return true;
  } catch {
    return false;
  }
}

type Speaks = (protocol: string) => boolean;

function selectBeforehand(muxer: StreamMuxer, speaks: Speaks): void {
  const listen = muxer.addEventListener.bind(muxer) as (type: string, ...rest: unknown[]) => void;
  muxer.addEventListener = (type: string, listener: unknown, ...rest: unknown[]): void => {
    if (type !== 'stream' || typeof listener !== 'function') return listen(type, listener, ...rest);
    const select = (event: CustomEvent<Stream>): void => trySelect(event.detail, speaks, () => void listener(event));
    return listen(type, select, ...rest);
  };
}

function trySelect(stream: Stream, speaks: Speaks, proceed: () => void): void {
  const received = new Uint8ArrayList();
  const handOver = (): void => {
    stream.removeEventListener('message', onMessage);
    clearImmediate(giveUp);
    if (received.byteLength > 0) {
      if (stream.readStatus !== 'readable') {
        stream.abort(new Error('The stream ended before it named its protocol'));
        return;
      }
      stream.unshift(received);
    }
    proceed();
  };
  const onMessage = ({ data }: StreamMessageEvent): void => {
    received.append(data);
    const end = headerEnd(received);
    if (end === undefined) return;
    const protocol = end > 0 ? protocolIn(received, end) : '';
    if (protocol !== '' && speaks(protocol)) {
      // It was reset, or its connection ended, after this was written.
      if (stream.writeStatus === 'closing' || stream.writeStatus === 'closed') {
        clearImmediate(giveUp);
        stream.removeEventListener('message', onMessage);
        stream.abort(new Error('The stream ended before its protocol was confirmed'));
        return;
      }
      stream.protocol = protocol;
      stream.send(Uint8Array.from(received.subarray(0, end)));
      received.consume(end);
    }
    handOver();
  };
  // What such a peer writes is here in the same turn as the opening of the stream, or it waits for an answer.
  const giveUp = setImmediate(handOver);
  stream.addEventListener('message', onMessage);
}

const HELLO = Buffer.from('\x13/multistream/1.0.0\n', 'latin1');
/** One byte of length: protocols with longer names are left to the library. */
const PROTOCOL_LINE_BYTES_MAX = 127;
const NEWLINE = 0x0a;

/** Where the two lines end; undefined when more must come to know, 0 when the stream begins otherwise. */
function headerEnd(received: Uint8ArrayList): number | undefined {
  const length = Math.min(received.byteLength, HELLO.length);
  if (!HELLO.subarray(0, length).equals(received.subarray(0, length))) return 0;
  if (received.byteLength <= HELLO.length) return undefined;
  const lineLength = received.get(HELLO.length);
  if (lineLength < 2 || lineLength > PROTOCOL_LINE_BYTES_MAX) return 0;
  const end = HELLO.length + 1 + lineLength;
  if (received.byteLength < end) return undefined;
  return received.get(end - 1) === NEWLINE ? end : 0;
}

function protocolIn(received: Uint8ArrayList, end: number): string {
  return Buffer.from(received.subarray(HELLO.length + 1, end - 1)).toString('utf8');
}
