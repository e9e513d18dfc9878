import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface';
import { readFrame, sendFrame } from './one-frame.ts';

/** A protocol of one question and one answer on a stream, each one frame. */
export interface ExchangeProtocol {
  name: string;
  messageBytesMax: number;
  streamsPerConnectionMax: number;
  streamsMax: number;
  /** For reading a question, and again for sending an answer. */
  timeoutMs: number;
}

export type Answer = (question: Uint8Array, peer: PeerId, connection: Connection) => Promise<Uint8Array>;

/** Answers a protocol of exchanges until it is stopped. */
export class ExchangeServer {
  readonly #libp2p: Libp2p;
  readonly #protocol: ExchangeProtocol;
  readonly #answer: Answer;
  readonly #stop = new AbortController();
  #streams = 0;

  constructor(libp2p: Libp2p, protocol: ExchangeProtocol, answer: Answer) {
    this.#libp2p = libp2p;
    this.#protocol = protocol;
    this.#answer = answer;
  }

  async start(): Promise<void> {
    const { name, streamsPerConnectionMax } = this.#protocol;
    await this.#libp2p.handle(name, (stream, connection) => void this.#serve(stream, connection), {
      maxInboundStreams: streamsPerConnectionMax,
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('The node is stopping'));
    await this.#libp2p.unhandle(this.#protocol.name);
  }

  async #serve(stream: Stream, connection: Connection): Promise<void> {
    const { streamsMax, timeoutMs, messageBytesMax } = this.#protocol;
    if (this.#streams >= streamsMax) {
      stream.abort(new Error('Too many exchanges are under way'));
      return;
    }
    this.#streams++;
    const deadline = (): AbortSignal => AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#stop.signal]);
    try {
      const bytes = await readFrame(stream, messageBytesMax, deadline());
      sendFrame(stream, await this.#answer(bytes, connection.remotePeer, connection));
      await stream.close({ signal: deadline() });
    } catch {
      // Whoever asks like this gets no answer; there is nothing to take back.
    } finally {
      stream.abort(new Error('The exchange is over'));
      this.#streams--;
    }
  }
}

/** One question to one peer, and its answer. @throws FrameError; the signal's reason; why the peer cannot be reached */
export async function askPeer(
  libp2p: Pick<Libp2p, 'dialProtocol'>,
  peer: PeerId,
  { name, messageBytesMax }: ExchangeProtocol,
  question: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let stream: Stream | undefined;
  try {
    stream = await libp2p.dialProtocol(peer, name, { signal });
    const answer = readFrame(stream, messageBytesMax, signal);
    // Should sending fail, nobody waits for it any more.
    answer.catch(() => {});
    sendFrame(stream, question);
    return await answer;
  } finally {
    stream?.abort(new Error('The exchange is over'));
  }
}
