import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { CID } from 'multiformats/cid';
import { OverCreditError, type ScoreLedger } from '../ledger/index.ts';
import { MailboxError } from './errors.ts';
import { Leases, type Device } from './leases.ts';
import {
  HOLD_TIMEOUT_MS,
  HOLDS_MAX,
  PAGE_BYTES_MAX,
  SCAN_MAX,
  TAKEN_MAX,
  TTL_MS_MIN,
  type MailboxLimits,
} from './limits.ts';
import { MAILBOX_PROTOCOL, PENDING_BYTES_MAX, STREAMS_PER_PEER_MAX } from './net/constants.ts';
import { Notifier } from './net/notifier.ts';
import { PeerStream } from './net/peer-stream.ts';
import type { Question } from './net/wire.ts';
import { mailboxName, type MailboxPublication } from './publication.ts';
import { priceOf } from './price.ts';
import type { MailboxStore } from './store/store.ts';
import type { MailboxRates, Message, MessageStatus, Waiting } from './types.ts';

/** Who may have a mailbox here. */
export type MailboxPolicy = 'nobody' | 'allowed' | 'anyone';

export interface MailboxesInit {
  libp2p: Libp2p;
  scoreLedger: ScoreLedger;
  store: MailboxStore;
  limits: MailboxLimits;
  policy: MailboxPolicy;
  /** Peer ids, for the policy `allowed`. */
  allowed: ReadonlySet<string>;
  /** Keeps a recipient's signed record where senders find it. */
  keepRecord: (peer: PeerId, publication: MailboxPublication) => Promise<void>;
  /** Fetches all blocks of a file, from the peer first. @throws when it has more bytes, or cannot be had */
  fetchFile: (root: CID, bytes: number, from: PeerId, signal: AbortSignal) => Promise<void>;
  onError: (error: unknown) => void;
}

type PutQuestion = Extract<Question, { ask: 'put' }>;

const SWEEP_EVERY_MS = 1000;
const SWEEP_ROWS_MAX = 1000;
const SCAN_PAGE = 500;

/**
 * Deferred delivery: keeps messages for peers that are offline. Served as /workswap/mailbox/1.0.0: put, take, acknowledge,
 * and what one wants to know about them. At least once, in order per sender.
 */
export class Mailboxes {
  readonly #init: MailboxesInit;
  readonly #notifier: Notifier;
  readonly #leases = new Map<number, Leases>();
  readonly #streams = new Set<PeerStream>();
  readonly #budget = { bytes: PENDING_BYTES_MAX };
  readonly #stopped = new AbortController();
  readonly #fetching = new Set<CID>();
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<unknown> | undefined;

  constructor(init: MailboxesInit) {
    this.#init = init;
    const { store } = init;
    this.#notifier = new Notifier(init.libp2p, (peer) => {
      const box = store.mailboxOf(peer);
      return box === undefined ? 0 : store.waiting(box.id).messages;
    });
  }

  async start(): Promise<void> {
    this.#notifier.start();
    this.#timer = setInterval(() => this.#tick(), SWEEP_EVERY_MS).unref();
    await this.#init.libp2p.handle(MAILBOX_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: STREAMS_PER_PEER_MAX,
    });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped.abort(new MailboxError('SHUTTING_DOWN', 'The provider is stopping. Try again later.'));
    this.#notifier.stop();
    await this.#init.libp2p.unhandle(MAILBOX_PROTOCOL);
    // What is under way is committed and answered before the streams end.
    await this.#init.store.drain();
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
    await this.#init.store.close();
  }

  get rates(): MailboxRates {
    const { messagePriceBytes, storagePriceBytes } = this.#init.limits;
    return { messagePriceBytes, storagePriceBytes };
  }

  /** What waits for a peer. */
  waiting(peer: string): Waiting {
    const { store } = this.#init;
    const box = store.mailboxOf(peer);
    return box === undefined ? { messages: 0, bytes: 0 } : store.waiting(box.id);
  }

  /** Roots of the files that messages name: not to be collected as garbage. */
  *roots(): Generator<CID> {
    yield* this.#fetching;
    for (const root of this.#init.store.held()) yield CID.decode(root);
  }

  /** Who has a mailbox here. */
  peers(): string[] {
    return this.#init.store.peers();
  }

  /** Leaves a message of the provider itself, which pays nobody for it. @throws MailboxError, StoreError */
  async leave(to: string, id: Uint8Array, body: Uint8Array, ttlMs: number): Promise<void> {
    const { store, libp2p } = this.#init;
    this.#checkTtl(ttlMs);
    if (store.mailboxOf(to) === undefined) throw unknownMailbox(to);
    const put = { to, from: libp2p.peerId.toString(), id, body, ttlMs, recipientPriceBytes: 0 };
    const { is } = await store.run<'stored' | 'known'>({ do: 'put', put });
    if (is === 'stored') this.#notifier.notify(to);
  }

  #onStream(stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer;
    const open = [...this.#streams].filter((other) => other.peer.equals(peer)).length;
    if (open >= STREAMS_PER_PEER_MAX) {
      stream.abort(new Error(`A peer may have ${STREAMS_PER_PEER_MAX} streams open`));
      return;
    }
    const served: PeerStream = new PeerStream(stream, peer, {
      answer: (question) => {
        if (question.ask === 'take') this.#notifier.listens(connection);
        return this.#answer(question, peer, served);
      },
      budget: this.#budget,
      onError: this.#init.onError,
      onEnd: () => {
        if (this.#streams.delete(served)) this.#release(served);
      },
    });
    this.#streams.add(served);
  }

  async #answer(question: Question, peer: PeerId, device: Device): Promise<object> {
    switch (question.ask) {
      case 'rates':
        return this.rates;
      case 'open':
        return this.#open(question, peer);
      case 'put':
        return this.#put(question, peer);
      case 'hold':
        return this.#hold(question, peer);
      case 'list':
        return this.#list(question.after, question.limit, peer);
      case 'take':
        return this.#take(question.limit, question.bytesMax, peer, device);
      case 'acknowledge':
        return this.#acknowledge(question.sequences, peer);
      case 'status':
        return { messages: this.#status(question.to, question.messages, peer) };
    }
  }

  async #open({ settings, record, document }: Extract<Question, { ask: 'open' }>, peer: PeerId): Promise<MailboxRates> {
    const { store, policy, allowed, keepRecord } = this.#init;
    const name = peer.toString();
    const isWelcome = policy === 'anyone' || (policy === 'allowed' && allowed.has(name));
    if (!isWelcome && store.mailboxOf(name) === undefined) {
      throw new MailboxError(
        'MAILBOX_REFUSED',
        `This provider keeps no mailbox for ${name}. Its operator allows it in [credit] allow or with [mailbox] host.`,
      );
    }
    // Its name is made of its key; a peer with another kind of key could never be found.
    mailboxName(peer);
    if (record !== undefined && document !== undefined) await keepRecord(peer, { record, document });
    await store.run<'opened'>({ do: 'open', peer: name, settings });
    return this.rates;
  }

  /** Nothing is awaited before the store has the message: puts of one stream are kept in their order. */
  async #put({ to, message, body, ttlMs, priceMaxBytes }: PutQuestion, from: PeerId): Promise<object> {
    const { store, scoreLedger } = this.#init;
    this.#checkTtl(ttlMs);
    const box = store.mailboxOf(to);
    if (box === undefined) throw unknownMailbox(to);
    const priceBytes = priceOf(body.length, ttlMs, this.rates);
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
      this.#notifier.notify(to);
      return { state: 'waiting', priceBytes: senderPays ? priceBytes : 0 };
    } finally {
      if (spent > 0) await scoreLedger.settle(reservation, spent);
      else scoreLedger.abandon(reservation, 0);
    }
  }

  /** Fetches a file of the sender's and keeps it; it earns the sender nothing more than its own bytes, which it pays for. */
  async #hold(
    { to, root, bytes, ttlMs, priceMaxBytes }: Extract<Question, { ask: 'hold' }>,
    from: PeerId,
  ): Promise<object> {
    const { store, scoreLedger, limits, fetchFile } = this.#init;
    if (bytes > limits.fileBytesMax) {
      throw new MailboxError('FILE_TOO_LARGE', `A file has at most ${limits.fileBytesMax} bytes here, not ${bytes}.`);
    }
    this.#checkTtl(ttlMs);
    if (store.mailboxOf(to) === undefined) throw unknownMailbox(to);
    const priceBytes = priceOf(bytes, ttlMs, this.rates);
    if (priceBytes > priceMaxBytes) throw tooExpensive(priceBytes, priceMaxBytes);
    if (this.#fetching.size >= HOLDS_MAX) {
      throw new MailboxError('TOO_MANY_REQUESTS', 'Files of others are being fetched. Try again in a moment.');
    }
    const reservation = scoreLedger.reserve(from, priceBytes, 'work');
    this.#fetching.add(root);
    let spent = 0;
    try {
      await fetchFile(root, bytes, from, AbortSignal.any([AbortSignal.timeout(HOLD_TIMEOUT_MS), this.#stopped.signal]));
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

  #boxOf(peer: PeerId): number {
    const box = this.#init.store.mailboxOf(peer.toString());
    if (box !== undefined) return box.id;
    throw new MailboxError('MAILBOX_UNKNOWN', 'You have no mailbox at this provider. Open one first.');
  }

  #list(after: number, limit: number, peer: PeerId): object {
    const { store } = this.#init;
    const box = this.#boxOf(peer);
    const { messages: waiting, bytes: waitingBytes } = store.waiting(box);
    return { messages: store.heads(box, after, limit), waiting, waitingBytes };
  }

  #take(limit: number, bytesMax: number, peer: PeerId, device: Device): object {
    const { store } = this.#init;
    const box = this.#boxOf(peer);
    const leases = this.#leases.get(box) ?? new Leases();
    if (leases.takenBy(device) + limit > TAKEN_MAX) {
      throw new MailboxError('TOO_MANY_TAKEN', `Acknowledge some of the ${leases.takenBy(device)} that you have.`);
    }
    const messages: Message[] = [];
    let bytes = 0;
    let after = 0;
    for (let looked = 0; looked < SCAN_MAX; looked += SCAN_PAGE) {
      const heads = store.heads(box, after, SCAN_PAGE);
      for (const head of heads) {
        if (!leases.isFree(head.from, head.sequence, device)) continue;
        bytes += head.bytes;
        const isFull = messages.length > 0 && bytes > Math.min(bytesMax, PAGE_BYTES_MAX);
        // Nothing behind the first that does not fit: it could be by the same sender.
        if (messages.length >= limit || isFull) return this.#taken(box, leases, messages, device, true);
        const message = store.message(head);
        if (message !== undefined) messages.push(message);
      }
      if (heads.length < SCAN_PAGE) break;
      after = heads.at(-1)!.sequence;
    }
    return this.#taken(box, leases, messages, device, false);
  }

  #taken(box: number, leases: Leases, messages: Message[], device: Device, more: boolean): object {
    const nowMs = performance.now();
    for (const { from, sequence } of messages) leases.take(from, sequence, device, nowMs);
    if (messages.length > 0) this.#leases.set(box, leases);
    return { messages, more };
  }

  async #acknowledge(sequences: number[], peer: PeerId): Promise<object> {
    const box = this.#boxOf(peer);
    const { count } = await this.#init.store.run<'acknowledged'>({ do: 'acknowledge', mailbox: box, sequences });
    this.#leases.get(box)?.acknowledged(sequences);
    return { acknowledged: count };
  }

  #status(to: string, messages: Uint8Array[], from: PeerId): MessageStatus[] {
    const { store } = this.#init;
    const box = store.mailboxOf(to);
    return messages.map((id) => (box === undefined ? { state: 'unknown' } : store.status(box.id, from.toString(), id)));
  }

  /** A device went: what it has taken is for the others. */
  #release(stream: PeerStream): void {
    const peer = stream.peer.toString();
    const box = this.#init.store.mailboxOf(peer);
    if (box !== undefined && this.#leases.get(box.id)?.release(stream) === true) this.#notifier.notify(peer);
  }

  #tick(): void {
    const { store, onError } = this.#init;
    for (const [box, leases] of this.#leases) {
      if (leases.releaseLapsed(performance.now())) this.#tellDevicesOf(box);
      if (leases.isEmpty) this.#leases.delete(box);
    }
    if (this.#sweeping !== undefined || store.nextExpiryMs() !== 0) return;
    this.#sweeping = store
      .run<'swept'>({ do: 'sweep', rowsMax: SWEEP_ROWS_MAX })
      .catch(onError)
      .finally(() => (this.#sweeping = undefined));
  }

  #tellDevicesOf(box: number): void {
    const peers = new Set([...this.#streams].map(({ peer }) => peer.toString()));
    for (const peer of peers) if (this.#init.store.mailboxOf(peer)?.id === box) this.#notifier.notify(peer);
  }
}

function unknownMailbox(peer: string): MailboxError {
  return new MailboxError('MAILBOX_UNKNOWN', `${peer} has no mailbox at this provider.`);
}

function tooExpensive(priceBytes: number, priceMaxBytes: number): MailboxError {
  return new MailboxError('PRICE_EXCEEDED', `This costs ${priceBytes} bytes; ${priceMaxBytes} were allowed.`);
}
