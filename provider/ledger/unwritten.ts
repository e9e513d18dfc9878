import { addDelta, type AccountEntry } from './account.ts';
import type { AccountDelta } from './batch.ts';

/** How long a change without a receipt may wait for the disk, and how many bytes of them. */
export const UNWRITTEN_MS_MAX = 1_000;
export const UNWRITTEN_BYTES_MAX = 16 * 1024 * 1024;
/** Changes with receipts are on the disk already; their accounts only follow. */
const FOLD_MS_MAX = 10_000;

/** Keeps the accounts that the next checkpoint has to write, and asks for it in time. */
export class Unwritten {
  readonly #write: () => void;
  #entries = new Set<AccountEntry>();
  #bytes = 0;
  #soon: NodeJS.Timeout | undefined;
  #late: NodeJS.Timeout | undefined;

  constructor(write: () => void) {
    this.#write = write;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get accounts(): number {
    return this.#entries.size;
  }

  add(entry: AccountEntry): void {
    this.#entries.add(entry);
    this.soonOrLater();
  }

  /** Asks for a checkpoint in which there is more than bytes. */
  soonOrLater(): void {
    this.#late ??= setTimeout(() => this.#fire(), FOLD_MS_MAX).unref();
  }

  /** Counts bytes that a crash would forget. */
  count(bytes: number): void {
    const before = this.#bytes;
    this.#owe(bytes);
    if (before < UNWRITTEN_BYTES_MAX && this.#bytes >= UNWRITTEN_BYTES_MAX) this.#write();
  }

  /** Hands out all changes; `done` with an error takes them back and tries again later. */
  take(): { accounts: AccountDelta[]; done: (error: unknown) => void } {
    const entries = this.#entries;
    const bytes = this.#bytes;
    this.#entries = new Set();
    this.#bytes = 0;
    this.#disarm();
    const accounts: AccountDelta[] = [];
    for (const entry of entries) {
      const delta = entry.unwritten;
      if (delta === undefined) continue;
      delta.refreshedMs = entry.refreshedMs;
      entry.writing = delta;
      entry.unwritten = undefined;
      accounts.push(delta);
    }
    return { accounts, done: (error) => this.#done(entries, bytes, error) };
  }

  close(): void {
    this.#disarm();
  }

  #done(entries: Set<AccountEntry>, bytes: number, error: unknown): void {
    // The next try comes with the timer: at once it would fail again, and again.
    if (error !== undefined && bytes > 0) this.#owe(bytes);
    for (const entry of entries) {
      const delta = entry.writing;
      entry.writing = undefined;
      if (error === undefined || delta === undefined) continue;
      if (entry.unwritten === undefined) entry.unwritten = delta;
      else addDelta(entry.unwritten, delta);
      this.add(entry);
    }
  }

  #owe(bytes: number): void {
    this.#bytes += bytes;
    this.#soon ??= setTimeout(() => this.#fire(), UNWRITTEN_MS_MAX).unref();
  }

  #fire(): void {
    this.#disarm();
    this.#write();
  }

  #disarm(): void {
    clearTimeout(this.#soon);
    clearTimeout(this.#late);
    this.#soon = undefined;
    this.#late = undefined;
  }
}
