import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface';
import { CID } from 'multiformats/cid';
import type { ScoreLedger } from '../ledger/index.ts';
import { MailboxError } from './errors.ts';
import type { Device } from './leases.ts';
import type { MailboxLimits } from './limits.ts';
import { MAILBOX_PROTOCOL, PENDING_BYTES_MAX, STREAMS_PER_PEER_MAX } from './net/constants.ts';
import { Notifier } from './net/notifier.ts';
import { PeerStream } from './net/peer-stream.ts';
import type { Question } from './net/wire.ts';
import { mailboxName, type MailboxPublication } from './publication.ts';
import { Retrieval } from './retrieval.ts';
import type { MailboxStore } from './store/store.ts';
import { Submission } from './submission.ts';
import type { Closed, MailboxFigures, MailboxRates, MailboxTotals, Waiting } from './types.ts';

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

const SWEEP_EVERY_MS = 1000;
const SWEEP_ROWS_MAX = 1000;
const NOTHING: MailboxTotals = { mailboxes: 0, messages: 0, bytes: 0, files: 0, filesBytes: 0 };

/**
 * Deferred delivery: keeps messages for peers that are offline. Served as /workswap/mailbox/1.0.0: put, take, acknowledge,
 * and what one wants to know about them. At least once, in order per sender.
 */
export class Mailboxes {
  readonly #init: MailboxesInit;
  readonly #notifier: Notifier;
  readonly #submission: Submission;
  readonly #retrieval: Retrieval;
  readonly #streams = new Set<PeerStream>();
  readonly #budget = { bytes: PENDING_BYTES_MAX };
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<unknown> | undefined;
  #expired = 0;
  #closed = 0;

  constructor(init: MailboxesInit) {
    this.#init = init;
    const { store } = init;
    this.#notifier = new Notifier(init.libp2p, (peer) => {
      const box = store.mailboxOf(peer);
      return box === undefined ? 0 : store.waiting(box.id).messages;
    });
    const notify = (peer: string): void => this.#notifier.notify(peer);
    this.#submission = new Submission({ ...init, rates: this.rates, notify, stopped: this.#stopped.signal });
    this.#retrieval = new Retrieval(store, notify);
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
    yield* this.#submission.fetching();
    for (const root of this.#init.store.held()) yield CID.decode(root);
  }

  /** Who has a mailbox here. */
  peers(): string[] {
    return this.#init.store.peers();
  }

  /** Leaves a message of the provider itself, which pays nobody for it. @throws MailboxError, StoreError */
  async leave(to: string, id: Uint8Array, body: Uint8Array, ttlMs: number): Promise<void> {
    await this.#submission.leave(this.#init.libp2p.peerId.toString(), { to, id, body, ttlMs });
  }

  /** The mailboxes that take most, and all together. */
  figures(limit: number): { mailboxes: MailboxFigures[]; totals: MailboxTotals } {
    const { store } = this.#init;
    // Who looks may go on for longer than the store does.
    if (this.#stopped.signal.aborted) return { mailboxes: [], totals: NOTHING };
    return { mailboxes: store.largest(limit), totals: store.totals() };
  }

  /** Messages since the start, by what became of them. */
  counts(): { stored: number; acknowledged: number; expired: number; closed: number } {
    const [{ stored }, { acknowledged }] = [this.#submission, this.#retrieval];
    return { stored, acknowledged, expired: this.#expired, closed: this.#closed };
  }

  /**
   * Closes a peer's mailbox: what waits in it is gone, and its senders can tell. The peer may open another, where the policy
   * lets it. @throws MailboxError MAILBOX_UNKNOWN
   */
  async close(peer: string): Promise<Closed> {
    const closed = await this.#init.store.run<'closed'>({ do: 'close', peer });
    this.#retrieval.forget(peer);
    this.#closed += closed.messages;
    return { messages: closed.messages, priceBytes: closed.recipientPriceBytes };
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
        if (this.#streams.delete(served)) this.#retrieval.release(served, peer.toString());
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
      case 'close':
        return this.close(peer.toString());
      case 'put':
        return this.#submission.put(question, peer);
      case 'hold':
        return this.#submission.hold(question, peer);
      case 'status':
        return { messages: this.#submission.status(question, peer) };
      case 'list':
        return this.#retrieval.list(question, peer);
      case 'take':
        return this.#retrieval.take(question, peer, device);
      case 'acknowledge':
        return this.#retrieval.acknowledge(question, peer);
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

  #tick(): void {
    const { store, onError } = this.#init;
    this.#retrieval.releaseLapsed(performance.now());
    if (this.#sweeping !== undefined || store.nextExpiryMs() !== 0) return;
    this.#sweeping = store
      .run<'swept'>({ do: 'sweep', rowsMax: SWEEP_ROWS_MAX })
      .then(({ expired }) => void (this.#expired += expired))
      .catch(onError)
      .finally(() => (this.#sweeping = undefined));
  }
}
