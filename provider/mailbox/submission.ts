import type { PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { CID } from 'multiformats/cid';
import { OverCreditError, type ScoreLedger } from '../ledger/index.ts';
import { MailboxError } from './errors.ts';
import { HOLD_TIMEOUT_MS, HOLDS_MAX, TTL_MS_MIN } from './limits.ts';
import type { MailboxesInit } from './mailboxes.ts';
import type { Question } from './net/wire.ts';
import { priceOf } from './price.ts';
import type { Put } from './store/operations.ts';
import type { MailboxRates, MessageStatus } from './types.ts';

type Asked<Ask extends Question['ask']> = Extract<Question, { ask: Ask }>;

export interface SubmissionInit extends Pick<MailboxesInit, 'store' | 'scoreLedger' | 'limits' | 'fetchFile'> {
  rates: MailboxRates;
  /** Tells a recipient that something waits. */
  notify: (peer: string) => void;
  stopped: AbortSignal;
}

/** What senders do: leave messages and files, and ask what became of them. */
export class Submission {
  readonly #init: SubmissionInit;
  readonly #fetching = new Set<CID>();
  /** Messages that were taken in, since the start. */
  stored = 0;

  constructor(init: SubmissionInit) {
    this.#init = init;
  }

  /** Files that are on their way. */
  fetching(): Iterable<CID> {
    return this.#fetching;
  }

  /** Nothing is awaited before the store has the message: puts of one stream are kept in their order. */
  async put({ to, message, body, ttlMs, priceMaxBytes }: Asked<'put'>, from: PeerId): Promise<object> {
    const { store, scoreLedger } = this.#init;
    this.#checkTtl(ttlMs);
    const box = store.mailboxOf(to);
    if (box === undefined) throw unknownMailbox(to);
    const priceBytes = priceOf(body.length, ttlMs, this.#init.rates);
    const senderPays = box.payer === 'sender';
    if (senderPays && priceBytes > priceMaxBytes) throw tooExpensive(priceBytes, priceMaxBytes);
    const reservation = this.#reserve(senderPays ? from : peerIdFromString(to), priceBytes, senderPays);
    let spent = 0;
    try {
      const recipientPriceBytes = senderPays ? 0 : priceBytes;
      const put = { to, from: from.toString(), id: message, body, ttlMs, recipientPriceBytes };
      const result = await store.run<'stored' | 'known'>({ do: 'put', put });
      if (result.is === 'known') return { state: result.state, priceBytes: 0 };
      spent = priceBytes;
      this.stored++;
      this.#init.notify(to);
      return { state: 'waiting', priceBytes: senderPays ? priceBytes : 0 };
    } finally {
      if (spent > 0) await scoreLedger.settle(reservation, spent);
      else scoreLedger.abandon(reservation, 0);
    }
  }

  /** Of the provider itself, which pays nobody for it. */
  async leave(from: string, message: Pick<Put, 'to' | 'id' | 'body' | 'ttlMs'>): Promise<void> {
    const { store } = this.#init;
    const { to, ttlMs } = message;
    this.#checkTtl(ttlMs);
    if (store.mailboxOf(to) === undefined) throw unknownMailbox(to);
    const put = { ...message, from, recipientPriceBytes: 0 };
    const { is } = await store.run<'stored' | 'known'>({ do: 'put', put });
    if (is === 'known') return;
    this.stored++;
    this.#init.notify(to);
  }

  /** Fetches a file of the sender's and keeps it; it earns the sender nothing more than its own bytes, which it pays for. */
  async hold({ to, root, bytes, ttlMs, priceMaxBytes }: Asked<'hold'>, from: PeerId): Promise<object> {
    const { store, scoreLedger, limits, fetchFile } = this.#init;
    if (bytes > limits.fileBytesMax) {
      throw new MailboxError('FILE_TOO_LARGE', `A file has at most ${limits.fileBytesMax} bytes here, not ${bytes}.`);
    }
    this.#checkTtl(ttlMs);
    if (store.mailboxOf(to) === undefined) throw unknownMailbox(to);
    const priceBytes = priceOf(bytes, ttlMs, this.#init.rates);
    if (priceBytes > priceMaxBytes) throw tooExpensive(priceBytes, priceMaxBytes);
    if (this.#fetching.size >= HOLDS_MAX) {
      throw new MailboxError('TOO_MANY_REQUESTS', 'Files of others are being fetched. Try again in a moment.');
    }
    const reservation = scoreLedger.reserve(from, priceBytes, 'work');
    this.#fetching.add(root);
    let spent = 0;
    try {
      await fetchFile(root, bytes, from, AbortSignal.any([AbortSignal.timeout(HOLD_TIMEOUT_MS), this.#init.stopped]));
      // What was transferred is owed from here on, also where there is no room for it.
      spent = priceBytes;
      await store.run({ do: 'hold', root: root.bytes, sender: from.toString(), bytes, ttlMs });
      return { state: 'waiting', priceBytes };
    } finally {
      this.#fetching.delete(root);
      if (spent > 0) await scoreLedger.settle(reservation, spent);
      else scoreLedger.abandon(reservation, 0);
    }
  }

  #checkTtl(ttlMs: number): void {
    const { ttlMsMax } = this.#init.limits;
    if (ttlMs >= TTL_MS_MIN && ttlMs <= ttlMsMax) return;
    throw new MailboxError('TTL_REFUSED', `ttlMs is from ${TTL_MS_MIN} to ${ttlMsMax} here, not ${ttlMs}.`);
  }

  #reserve(payer: PeerId, priceBytes: number, isSender: boolean): ReturnType<ScoreLedger['reserve']> {
    try {
      return this.#init.scoreLedger.reserve(payer, priceBytes, 'work');
    } catch (error) {
      if (isSender || !(error instanceof OverCreditError)) throw error;
      throw new MailboxError('NOT_PAID_FOR', 'The recipient pays here, and its credit is used up. Try again later.');
    }
  }

  status({ to, messages }: Asked<'status'>, from: PeerId): MessageStatus[] {
    return messages.map((id) => this.#init.store.status(to, from.toString(), id));
  }
}

function unknownMailbox(peer: string): MailboxError {
  return new MailboxError('MAILBOX_UNKNOWN', `${peer} has no mailbox at this provider.`);
}

function tooExpensive(priceBytes: number, priceMaxBytes: number): MailboxError {
  return new MailboxError('PRICE_EXCEEDED', `This costs ${priceBytes} bytes; ${priceMaxBytes} were allowed.`);
}
