import { decodeMessage, encodeMessage, type ServiceMessage } from '../../../sdk/protocol/index.ts';
import type { Database } from '../../store/index.ts';
import type { OutboxRow, SettledRow } from './batch.ts';
import type { BatchQueue } from './batch-queue.ts';
import { StateError } from './errors.ts';
import type { StateLimits } from './limits.ts';

/** Messages of one service to one recipient: they are delivered in their order. */
export interface Lane {
  state: number;
  service: string;
  recipient: string;
}

export interface WaitingMessage {
  sequence: number;
  state: number;
  message: ServiceMessage;
  /** Its place in the accounts of the outbox. */
  bytes: number;
}

/** A message that will not be delivered any more. */
export interface EndedMessage {
  id: Uint8Array;
  to: string;
  timeMs: number;
  endedMs: number;
  code: string;
  reason: string;
}

export interface OutboxFigures {
  waiting: number;
  waitingBytes: number;
  /** The newest first. */
  ended: EndedMessage[];
}

interface Account {
  messages: number;
  bytes: number;
}

type Row = Record<string, unknown>;

/**
 * Messages that commits have sent and that are not delivered yet. They come with their commit's transaction and go with one
 * of their own, so whoever delivers them may do it twice and never not at all.
 */
export class Outbox {
  readonly #queue: BatchQueue;
  readonly #limits: StateLimits;
  readonly #accounts = new Map<number, Account>();
  readonly #all: Account = { messages: 0, bytes: 0 };
  readonly #first: ReturnType<Database['sqlite']['prepare']>;
  readonly #ended: ReturnType<Database['sqlite']['prepare']>;
  readonly #lanes: ReturnType<Database['sqlite']['prepare']>;
  readonly #stateOf: ReturnType<Database['sqlite']['prepare']>;
  #listener: ((lanes: Lane[]) => void) | undefined;

  constructor({ sqlite }: Database, queue: BatchQueue, limits: StateLimits) {
    this.#queue = queue;
    this.#limits = limits;
    this.#first = sqlite.prepare(
      `SELECT sequence, message, bytes FROM outbox
       WHERE state = ? AND recipient = ? AND sequence > ? AND ended_ms IS NULL ORDER BY sequence LIMIT 1`,
    );
    this.#ended = sqlite.prepare(
      `SELECT id, recipient, time_ms, ended_ms, code, reason FROM outbox
       WHERE state = ? AND ended_ms IS NOT NULL ORDER BY ended_ms DESC`,
    );
    this.#lanes = sqlite.prepare(
      `SELECT DISTINCT outbox.state, states.service, outbox.recipient
       FROM outbox JOIN states ON states.id = outbox.state WHERE ended_ms IS NULL`,
    );
    this.#stateOf = sqlite.prepare('SELECT id FROM states WHERE service = ?');
    const waiting = sqlite
      .prepare(
        'SELECT state, count(*) AS messages, sum(bytes) AS bytes FROM outbox WHERE ended_ms IS NULL GROUP BY state',
      )
      .all();
    for (const { state, messages, bytes } of waiting) this.#add(Number(state), Number(messages), Number(bytes));
  }

  /**
   * Takes messages in that an update is about to send; whoever fails to send them releases them.
   * @throws StateError OUTBOX_FULL
   */
  reserve(state: number, service: string, messages: readonly ServiceMessage[]): OutboxRow[] {
    const { outboxMessagesMax, outboxBytesMax, outboxesMessagesMax, outboxesBytesMax } = this.#limits;
    const rows = messages.map((message): OutboxRow => {
      const { to, id, timeMs } = message;
      return { state, recipient: to, id, timeMs, message: encodeMessage(message) };
    });
    const bytes = bytesOf(rows);
    const own = this.#accounts.get(state) ?? { messages: 0, bytes: 0 };
    if (own.messages + rows.length > outboxMessagesMax || own.bytes + bytes > outboxBytesMax) {
      throw full(`${own.messages} messages of ${service} (${own.bytes} bytes) wait to be delivered`);
    }
    if (this.#all.messages + rows.length > outboxesMessagesMax || this.#all.bytes + bytes > outboxesBytesMax) {
      throw full(`${this.#all.messages} messages of all services of this provider wait to be delivered`);
    }
    this.#add(state, rows.length, bytes);
    return rows;
  }

  release(rows: readonly OutboxRow[]): void {
    for (const { state, message } of rows) this.#add(state, -1, -message.length);
  }

  /** They are durable now. */
  written(service: string, rows: readonly OutboxRow[]): void {
    if (this.#listener === undefined || rows.length === 0) return;
    const { state } = rows[0]!;
    const recipients = new Set(rows.map(({ recipient }) => recipient));
    this.#listener([...recipients].map((recipient) => ({ state, service, recipient })));
  }

  /** Told of every lane that got messages, and now of those that have some. */
  follow(listener: (lanes: Lane[]) => void): void {
    this.#listener = listener;
    listener(
      this.#lanes.all().map((row: Row) => ({
        state: Number(row['state']),
        service: String(row['service']),
        recipient: String(row['recipient']),
      })),
    );
  }

  unfollow(): void {
    this.#listener = undefined;
  }

  /** The oldest of a lane, behind the message `after`. */
  first({ state, recipient }: Lane, after = 0): WaitingMessage | undefined {
    const row = this.#first.get(state, recipient, after);
    if (row === undefined) return undefined;
    const message = decodeMessage(row['message'] as Uint8Array);
    return { sequence: Number(row['sequence']), state, message, bytes: Number(row['bytes']) };
  }

  /** It will not be delivered again; after a crash before this resolves it may be. @throws StoreError */
  async delivered({ sequence, state, bytes }: WaitingMessage): Promise<void> {
    await this.#settle({ state, sequence });
    this.#add(state, -1, -bytes);
  }

  /** @throws StoreError */
  async giveUp({ sequence, state, bytes }: WaitingMessage, why: { code: string; reason: string }): Promise<void> {
    const failure = { ...why, endedMs: Date.now(), keptMax: this.#limits.outboxEndedMax };
    await this.#settle({ state, sequence, failure });
    this.#add(state, -1, -bytes);
  }

  /** Of all services. */
  get waiting(): { messages: number; bytes: number } {
    return { ...this.#all };
  }

  figures(service: string): OutboxFigures {
    const id = this.#stateOf.get(service)?.['id'];
    if (id === undefined) return { waiting: 0, waitingBytes: 0, ended: [] };
    const { messages, bytes } = this.#accounts.get(Number(id)) ?? { messages: 0, bytes: 0 };
    const ended = this.#ended.all(Number(id)).map((row: Row) => ({
      id: row['id'] as Uint8Array,
      to: String(row['recipient']),
      timeMs: Number(row['time_ms']),
      endedMs: Number(row['ended_ms']),
      code: String(row['code']),
      reason: String(row['reason']),
    }));
    return { waiting: messages, waitingBytes: bytes, ended };
  }

  #settle(row: SettledRow): Promise<void> {
    return this.#queue.submit({ states: [], applied: [], blocks: new Map(), settled: [row] });
  }

  #add(state: number, messages: number, bytes: number): void {
    const own = this.#accounts.get(state) ?? { messages: 0, bytes: 0 };
    own.messages += messages;
    own.bytes += bytes;
    if (own.messages === 0) this.#accounts.delete(state);
    else this.#accounts.set(state, own);
    this.#all.messages += messages;
    this.#all.bytes += bytes;
  }
}

export function bytesOf(rows: readonly OutboxRow[]): number {
  return rows.reduce((sum, { message }) => sum + message.length, 0);
}

function full(what: string): StateError {
  return new StateError('OUTBOX_FULL', `The update sends messages, and ${what} already. Ask again later.`);
}
