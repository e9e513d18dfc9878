/** Peers that wait for room at the same time; the oldest is forgotten beyond that and has to ask again. */
const WAITERS_MAX = 4_096;
/** Room can come from the shared pool and from reservations of others, which nobody announces: look again this often. */
const LOOK_AGAIN_MS_MAX = 1_000;

interface Waiter {
  bytes: number;
  callback: () => void;
}

/** Tells those who were refused when there is room for them. */
export class RoomWaiters {
  /** Milliseconds until there is room: 0 now, null not by time alone. */
  readonly #waitMs: (peer: string, bytes: number) => number | null;
  readonly #waiters = new Map<string, Waiter>();
  #timer: NodeJS.Timeout | undefined;
  #checking = false;

  constructor(waitMs: (peer: string, bytes: number) => number | null) {
    this.#waitMs = waitMs;
  }

  add(peer: string, bytes: number, callback: () => void): () => void {
    const waiter = { bytes, callback };
    this.#waiters.delete(peer);
    if (this.#waiters.size >= WAITERS_MAX) {
      for (const oldest of this.#waiters.keys()) {
        this.#waiters.delete(oldest);
        break;
      }
    }
    this.#waiters.set(peer, waiter);
    this.#arm(this.#waitMs(peer, bytes));
    return () => {
      if (this.#waiters.get(peer) === waiter) this.#waiters.delete(peer);
    };
  }

  /** Something changed for this peer. Called in the hot path: costs one lookup when nobody waits. */
  changed(peer: string): void {
    if (this.#waiters.size === 0 || this.#checking || !this.#waiters.has(peer)) return;
    this.#checking = true;
    setImmediate(() => this.#check());
  }

  close(): void {
    this.#waiters.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #check(): void {
    this.#checking = false;
    let next: number | null = null;
    for (const [peer, waiter] of this.#waiters) {
      const waitMs = this.#waitMs(peer, waiter.bytes);
      if (waitMs === 0) {
        this.#waiters.delete(peer);
        waiter.callback();
      } else {
        next = Math.min(next ?? LOOK_AGAIN_MS_MAX, waitMs ?? LOOK_AGAIN_MS_MAX);
      }
    }
    if (next !== null) this.#arm(next);
  }

  #arm(waitMs: number | null): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#check();
      },
      Math.min(waitMs ?? LOOK_AGAIN_MS_MAX, LOOK_AGAIN_MS_MAX),
    );
    this.#timer.unref();
  }
}
