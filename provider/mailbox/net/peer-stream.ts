import type { PeerId, Stream } from '@libp2p/interface';
import { FrameReader, FrameWriter, WorkswapError } from '../../../sdk/protocol/index.ts';
import { MailboxError } from '../errors.ts';
import {
  CLOSE_TIMEOUT_MS,
  PENDING_BYTES_PER_STREAM_MAX,
  REQUEST_BYTES_MAX,
  REQUESTS_UNDER_WAY_MAX,
  UNREAD_BYTES_MAX,
} from './constants.ts';
import { BadQuestionError, decodeQuestion, encodeAnswer, encodeRefusal, type Question } from './wire.ts';

export interface PeerStreamInit {
  /** Answers a question; the first part of it, up to where it waits, happens in the order in which questions arrive. */
  answer(question: Question): Promise<object>;
  /** Room in memory for bodies of all streams. */
  budget: { bytes: number };
  onError(error: unknown): void;
  onEnd(): void;
}

/** One stream of a peer: many questions under way, answers in the order in which they are ready. */
export class PeerStream {
  readonly peer: PeerId;
  readonly #stream: Stream;
  readonly #writer: FrameWriter;
  readonly #init: PeerStreamInit;
  #underWay = 0;
  #pendingBytes = 0;

  constructor(stream: Stream, peer: PeerId, init: PeerStreamInit) {
    this.#stream = stream;
    this.peer = peer;
    this.#init = init;
    this.#writer = new FrameWriter(stream, (error) => stream.abort(error));
    const reader = new FrameReader(REQUEST_BYTES_MAX);
    stream.addEventListener('message', (event) => {
      try {
        reader.push(event.data, (frame) => void this.#onFrame(frame));
      } catch (error) {
        stream.abort(error as Error);
      }
    });
    stream.addEventListener('close', init.onEnd);
    stream.addEventListener('remoteCloseWrite', () => this.end());
  }

  end(): void {
    this.#writer.flush();
    this.#stream
      .close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
      .catch(() => {})
      .finally(() => this.#stream.abort(new Error('The stream has ended')));
  }

  async #onFrame(frame: Uint8Array): Promise<void> {
    let id = 0;
    const { budget } = this.#init;
    const { length } = frame;
    this.#underWay++;
    this.#pendingBytes += length;
    budget.bytes -= length;
    try {
      const { id: asked, question } = decodeQuestion(frame);
      id = asked;
      const isFull = this.#pendingBytes > PENDING_BYTES_PER_STREAM_MAX || budget.bytes < 0;
      if (isFull || this.#underWay > REQUESTS_UNDER_WAY_MAX) {
        throw new MailboxError('TOO_MANY_REQUESTS', 'Too much is under way. Wait for answers before you ask for more.');
      }
      this.#send(encodeAnswer(id, await this.#init.answer(question)));
    } catch (error) {
      if (!(error instanceof WorkswapError) || error.peerMessage !== error.message) this.#init.onError(error);
      this.#send(encodeRefusal(error instanceof BadQuestionError ? error.id : id, error));
    } finally {
      this.#underWay--;
      this.#pendingBytes -= length;
      budget.bytes += length;
    }
  }

  #send(answer: Uint8Array): void {
    if (this.#stream.writeStatus !== 'writable') return;
    if (this.#stream.writeBufferLength > UNREAD_BYTES_MAX) {
      this.#stream.abort(new Error('The peer does not read its answers'));
      return;
    }
    this.#writer.write(answer);
  }
}
