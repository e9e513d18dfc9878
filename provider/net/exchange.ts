import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { encodeAnswer, encodeRefusal } from './answers.ts';
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

/** What is thrown is a refusal to the peer. */
export type Answer = (question: Uint8Array, peer: PeerId) => Promise<object>;

export interface ExchangeServerInit {
  libp2p: Libp2p;
  protocol: ExchangeProtocol;
  answer: Answer;
  /** Where errors go that should not be. */
  onError: (error: unknown) => void;
}

/** Answers a protocol of exchanges until it is stopped. */
export class ExchangeServer {
  readonly #init: ExchangeServerInit;
  readonly #stop = new AbortController();
  #streams = 0;

  constructor(init: ExchangeServerInit) {
    this.#init = init;
  }

  async start(): Promise<void> {
    const { libp2p, protocol } = this.#init;
    const { name, streamsPerConnectionMax } = protocol;
    await libp2p.handle(name, (stream, connection) => void this.#serve(stream, connection), {
      maxInboundStreams: streamsPerConnectionMax,
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('The node is stopping'));
    await this.#init.libp2p.unhandle(this.#init.protocol.name);
  }

  async #serve(stream: Stream, { remotePeer }: Connection): Promise<void> {
    const { streamsMax, timeoutMs, messageBytesMax } = this.#init.protocol;
    if (this.#streams >= streamsMax) {
      stream.abort(new Error('Too many exchanges are under way'));
      return;
    }
    this.#streams++;
    const deadline = (): AbortSignal => AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#stop.signal]);
    try {
      const bytes = await readFrame(stream, messageBytesMax, deadline());
      sendFrame(stream, await this.#answer(bytes, remotePeer));
      await stream.close({ signal: deadline() });
    } catch {
      // Whoever asks like this gets no answer; there is nothing to take back.
    } finally {
      stream.abort(new Error('The exchange is over'));
      this.#streams--;
    }
  }

  async #answer(question: Uint8Array, peer: PeerId): Promise<Uint8Array> {
    const { answer, onError } = this.#init;
    try {
      return encodeAnswer(await answer(question, peer));
    } catch (error) {
      if (!(error instanceof WorkswapError)) onError(error);
      return encodeRefusal(error);
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
