import type { AccountEntry } from './account.ts';

/**
 * Accounts at hand. Bounded, but an account with something unwritten or reserved is never dropped, so the bound can be
 * passed by as many accounts as changed since the last checkpoint.
 */
export class AccountCache {
  readonly #entries = new Map<string, AccountEntry>();
  readonly #load: (peer: string) => AccountEntry;
  readonly #entriesMax: number;
  #sweepAt: number;

  constructor(load: (peer: string) => AccountEntry, entriesMax: number) {
    this.#load = load;
    this.#entriesMax = entriesMax;
    this.#sweepAt = entriesMax;
  }

  get(peer: string): AccountEntry {
    let entry = this.#entries.get(peer);
    if (entry === undefined) {
      entry = this.#load(peer);
      if (this.#entries.size >= this.#sweepAt) this.#sweep();
      this.#entries.set(peer, entry);
    }
    entry.touched = true;
    return entry;
  }

  peek(peer: string): AccountEntry | undefined {
    return this.#entries.get(peer);
  }

  put(entry: AccountEntry): void {
    this.#entries.set(entry.peer, entry);
  }

  values(): Iterable<AccountEntry> {
    return this.#entries.values();
  }

  /** Oldest first, with a second chance for those used since the last sweep; frees a sixteenth at once. */
  #sweep(): void {
    const portion = Math.max(1, this.#entriesMax >> 4);
    let free = portion;
    let left = this.#entries.size;
    for (const [peer, entry] of this.#entries) {
      if (free === 0 || left-- === 0) break;
      this.#entries.delete(peer);
      if (entry.pinned || entry.touched) {
        entry.touched = false;
        this.#entries.set(peer, entry);
      } else {
        free -= 1;
      }
    }
    // When everything is pinned, sweep again only after some growth: a sweep costs as much as there are entries.
    this.#sweepAt = Math.max(this.#entriesMax, this.#entries.size + (free === portion ? portion : 0));
  }
}
