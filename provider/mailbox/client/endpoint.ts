import type { Libp2p, PeerId, Stream } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { FrameReader, FrameWriter, WorkswapError } from '../../../sdk/protocol/index.ts';
import { MailboxError } from '../errors.ts';
import { HOLD_TIMEOUT_MS, TTL_MS_DEFAULT } from '../limits.ts';
import {
  acknowledgeAnswerOf,
  closeAnswerOf,
  decodeAnswer,
  listAnswerOf,
  putAnswerOf,
  ratesOf,
  statusAnswerOf,
  takeAnswerOf,
  type PutAnswer,
} from '../net/answers.ts';
import { ANSWER_BYTES_MAX, ANSWER_TIMEOUT_MS, MAILBOX_PROTOCOL, OPEN_TIMEOUT_MS } from '../net/constants.ts';
import { encodeQuestion, type Question } from '../net/wire.ts';
import type { Closed, MailboxRates, MailboxSettings, Message, MessageHead, MessageStatus, Waiting } from '../types.ts';

export interface EndpointInit {
  libp2p: Pick<Libp2p, 'dialProtocol'>;
  /** Books what the provider charges us. */
  onPrice?: (provider: PeerId, bytes: number) => void;
}

export interface PutOptions {
  ttlMs?: number;
  /** The most to pay, in bytes. */
  priceMaxBytes?: number;
}

const PRICE_MAX_BYTES_DEFAULT = 16 * 1024 * 1024;
const FILE_PRICE_MAX_BYTES_DEFAULT = 256 * 1024 * 1024;
/** For all that waits where the recipient pays: with default limits and tariffs a full mailbox costs half of it. */
const CLOSE_PRICE_MAX_BYTES = 4 * 1024 * 1024 * 1024;

interface Channel {
  stream: Stream;
  writer: FrameWriter;
  waiting: Map<number, PromiseWithResolvers<Record<string, unknown>>>;
}

/**
 * One provider's mailboxes, as senders and recipients use them: one stream, many questions under way. A stream that broke
 * is opened anew by the next question. What was under way then fails with NO_ENDPOINT: a put can be asked again with the
 * same id, since the provider keeps each id once.
 */
export class MailboxEndpoint {
  readonly provider: PeerId;
  readonly #init: EndpointInit;
  #channel: Promise<Channel> | undefined;
  #nextId = 1;
  #closed = false;

  constructor(provider: PeerId, init: EndpointInit) {
    this.provider = provider;
    this.#init = init;
  }

  /** True when it has no stream: nobody waits for an answer, and nothing that was taken is held. */
  get isIdle(): boolean {
    return this.#channel === undefined;
  }

  async rates(signal?: AbortSignal): Promise<MailboxRates> {
    return this.#ask({ ask: 'rates' }, ratesOf, signal);
  }

  /** Makes a mailbox of ours here, or changes what it takes. @throws RefusedError MAILBOX_REFUSED, MAILBOX_LIMIT */
  async open(
    settings: MailboxSettings,
    published?: { record: Uint8Array; document: Uint8Array },
    signal?: AbortSignal,
  ): Promise<MailboxRates> {
    return this.#ask({ ask: 'open', settings, ...published }, ratesOf, signal);
  }

  /** Ends our mailbox here: what waits in it is gone, and its senders can tell. @throws RefusedError MAILBOX_UNKNOWN */
  async closeMailbox(signal?: AbortSignal): Promise<Closed> {
    const closed = await this.#ask({ ask: 'close' }, closeAnswerOf, signal);
    // How many waited is the provider's word as well.
    const most = Math.min(closed.messages * PRICE_MAX_BYTES_DEFAULT, CLOSE_PRICE_MAX_BYTES);
    if (closed.priceBytes > most) throw this.#tooExpensive();
    if (closed.priceBytes > 0) this.#init.onPrice?.(this.provider, closed.priceBytes);
    return closed;
  }

  /**
   * Leaves a message; durable when it resolves. The same id again changes nothing and says what became of the message.
   * @throws RefusedError MAILBOX_UNKNOWN, MAILBOX_FULL, MAILBOX_CLOSING, SENDER_LIMIT, SENDER_REFUSED, OVER_CREDIT, PRICE_EXCEEDED, ...
   */
  async put(
    to: PeerId | string,
    id: Uint8Array,
    body: Uint8Array,
    { ttlMs = TTL_MS_DEFAULT, priceMaxBytes = PRICE_MAX_BYTES_DEFAULT }: PutOptions = {},
    signal?: AbortSignal,
  ): Promise<PutAnswer> {
    const question = { ask: 'put', to: to.toString(), message: id, body, ttlMs, priceMaxBytes } as const;
    const answer = await this.#ask(question, putAnswerOf, signal);
    if (answer.priceBytes > priceMaxBytes) throw this.#tooExpensive();
    if (answer.priceBytes > 0) this.#init.onPrice?.(this.provider, answer.priceBytes);
    return answer;
  }

  /**
   * Has the provider fetch a file of ours and keep it for that time, for messages to this recipient to name it. Our node has
   * to serve its blocks until it resolves.
   * @param bytes of all blocks of its DAG
   */
  async hold(
    to: PeerId | string,
    root: CID,
    bytes: number,
    { ttlMs = TTL_MS_DEFAULT, priceMaxBytes = FILE_PRICE_MAX_BYTES_DEFAULT }: PutOptions = {},
    signal?: AbortSignal,
  ): Promise<void> {
    const question = { ask: 'hold', to: to.toString(), root, bytes, ttlMs, priceMaxBytes } as const;
    const { priceBytes } = await this.#ask(question, putAnswerOf, signal, HOLD_TIMEOUT_MS);
    if (priceBytes > priceMaxBytes) throw this.#tooExpensive();
    if (priceBytes > 0) this.#init.onPrice?.(this.provider, priceBytes);
  }

  /** What waits for us, in order, without taking it. */
  async list(
    { after = 0, limit = 100 }: { after?: number; limit?: number } = {},
    signal?: AbortSignal,
  ): Promise<{ messages: MessageHead[]; waiting: Waiting }> {
    return this.#ask({ ask: 'list', after, limit }, listAnswerOf, signal);
  }

  /** The next messages that no other device of ours has, until we acknowledge them or this stream ends. */
  async take(
    { limit = 100, bytesMax = 1024 * 1024 }: { limit?: number; bytesMax?: number } = {},
    signal?: AbortSignal,
  ): Promise<{ messages: Message[]; more: boolean }> {
    const page = await this.#ask({ ask: 'take', limit, bytesMax }, takeAnswerOf, signal);
    // We pay for what we take, where we said that we do, but not whatever it says.
    if (page.messages.some(({ priceBytes }) => priceBytes > PRICE_MAX_BYTES_DEFAULT)) throw this.#tooExpensive();
    return page;
  }

  /** For another try, here or on another device, what was taken and is not acknowledged: ends the stream. */
  async giveBack(): Promise<void> {
    const channel = await this.#channel?.catch(() => undefined);
    channel?.stream.abort(new Error('Messages could not be kept'));
  }

  /** Done with these: they are gone when it resolves. */
  async acknowledge(messages: readonly Message[], signal?: AbortSignal): Promise<number> {
    const sequences = messages.map(({ sequence }) => sequence);
    const count = await this.#ask({ ask: 'acknowledge', sequences }, acknowledgeAnswerOf, signal);
    const priceBytes = messages.reduce((sum, message) => sum + message.priceBytes, 0);
    if (priceBytes > 0) this.#init.onPrice?.(this.provider, priceBytes);
    return count;
  }

  /** What became of messages that we sent. */
  async status(to: PeerId | string, ids: Uint8Array[], signal?: AbortSignal): Promise<MessageStatus[]> {
    return this.#ask({ ask: 'status', to: to.toString(), messages: ids }, statusAnswerOf, signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const channel = await this.#channel?.catch(() => undefined);
    channel?.writer.flush();
    channel?.stream.abort(new Error('The mailbox is not used any more'));
  }

  async #ask<T>(
    question: Question,
    decode: (ok: Record<string, unknown>) => T,
    signal?: AbortSignal,
    timeoutMs = ANSWER_TIMEOUT_MS,
  ): Promise<T> {
    if (this.#closed) throw new MailboxError('NO_ENDPOINT', 'This endpoint was closed.');
    const deadline = AbortSignal.timeout(timeoutMs);
    const both = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    both.throwIfAborted();
    const channel = await (this.#channel ??= this.#open());
    const id = this.#nextId++;
    const answer = Promise.withResolvers<Record<string, unknown>>();
    const onAbort = (): void => {
      const why = deadline.aborted ? this.#gone('it did not answer in time') : (both.reason as Error);
      answer.reject(why);
    };
    both.addEventListener('abort', onAbort);
    channel.waiting.set(id, answer);
    channel.writer.write(encodeQuestion(id, question));
    let ok: Record<string, unknown>;
    try {
      ok = await answer.promise;
    } finally {
      both.removeEventListener('abort', onAbort);
      channel.waiting.delete(id);
    }
    try {
      return decode(ok);
    } catch (error) {
      throw this.#badAnswer(error as Error);
    }
  }

  async #open(): Promise<Channel> {
    let stream: Stream;
    try {
      const signal = AbortSignal.timeout(OPEN_TIMEOUT_MS);
      stream = await this.#init.libp2p.dialProtocol(this.provider, MAILBOX_PROTOCOL, { signal });
    } catch (error) {
      this.#channel = undefined;
      throw this.#gone((error as Error).message, error);
    }
    const waiting: Channel['waiting'] = new Map();
    const reader = new FrameReader(ANSWER_BYTES_MAX);
    stream.addEventListener('message', (event) => {
      try {
        reader.push(event.data, (frame) => {
          const answer = decodeAnswer(frame);
          const asked = waiting.get(answer.id);
          if ('error' in answer) asked?.reject(answer.error);
          else asked?.resolve(answer.ok);
        });
      } catch (error) {
        stream.abort(error as Error);
      }
    });
    const end = (): void => {
      this.#channel = undefined;
      for (const asked of waiting.values()) asked.reject(this.#gone('the connection ended'));
      waiting.clear();
    };
    stream.addEventListener('close', end);
    stream.addEventListener('remoteCloseWrite', () => stream.abort(new Error('The provider has ended the stream')));
    return { stream, writer: new FrameWriter(stream, (error) => stream.abort(error)), waiting };
  }

  #gone(reason: string, cause?: unknown): MailboxError {
    return new MailboxError(
      'NO_ENDPOINT',
      `The mailbox at ${this.provider.toString()} cannot be reached: ${reason}.`,
      cause,
    );
  }

  #tooExpensive(): WorkswapError {
    return this.#badAnswer(new Error('it charges more than was allowed'));
  }

  #badAnswer(cause: Error): WorkswapError {
    const message = `What ${this.provider.toString()} answers does not hold: ${cause.message}`;
    return new MailboxError('BAD_ANSWER', message, cause);
  }
}
