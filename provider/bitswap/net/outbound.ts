import type { Stream, StreamCloseEvent } from '@libp2p/interface';
import type { Uint8ArrayList } from 'uint8arraylist';

interface Delivery {
  /** Position in the stream after the last byte of the frame. */
  end: number;
  length: number;
  deadlineMs: number;
  resolve: () => void;
  reject: (error: DeliveryError) => void;
}

/** A frame did not get out. `spentBytes` of it were taken by the connection before it failed. */
export class DeliveryError extends Error {
  readonly spentBytes: number;

  constructor(cause: unknown, spentBytes: number) {
    super('The peer did not take a Bitswap message', { cause });
    this.name = 'DeliveryError';
    this.spentBytes = spentBytes;
  }

  /** The peer holds the stream open and does not read: trying again would only hold memory for longer. */
  get isStuck(): boolean {
    return this.cause instanceof StuckError;
  }
}

class StuckError extends Error {}

export interface OutboundInit {
  open: (signal: AbortSignal) => Promise<Stream>;
  openTimeoutMs: number;
  sendTimeoutMs: number;
  /** The stream ended although we did not end it: what was written last may be lost. */
  onLost?: () => void;
}

/** A stream that the other side resets after so much silence was not lost by accident: it has an idle timeout. */
const IDLE_RESET_MS_MIN = 3_000;

/**
 * One long-lived stream to a peer. Opens when it is first needed and again, silently, after it was closed (Helia resets
 * streams that are idle for ten seconds). Knows for every frame when the connection has taken all of it: js-libp2p's own
 * `onDrain` fires once and answers another question.
 */
export class Outbound {
  readonly #init: OutboundInit;
  #stream: Stream | undefined;
  #opening: Promise<Stream> | undefined;
  #written = 0;
  /** What the connection had taken when we last looked: an aborted stream empties its buffer and cannot be asked. */
  #taken = 0;
  #deliveries: Delivery[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #idleCloseMs = Number.POSITIVE_INFINITY;
  #lastWriteMs = 0;
  #warmed = false;
  #closed = false;

  constructor(init: OutboundInit) {
    this.#init = init;
  }

  /** The protocol of the open stream, or undefined when none is open. */
  get protocol(): string | undefined {
    return this.#writable()?.protocol;
  }

  /** Bytes that the connection has not taken yet. */
  get pendingBytes(): number {
    return this.#stream?.writeBufferLength ?? 0;
  }

  /** Opens the stream if none is open. Resolves with its protocol; `send` may be called in the same tick. */
  async ready(): Promise<string> {
    const open = this.#writable();
    if (open !== undefined) return open.protocol;
    if (this.#closed) throw new DeliveryError(new Error('The peer is gone'), 0);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return (await this.#opening).protocol;
  }

  /** Opens the stream ahead of need, once, and not to a peer that resets idle streams. */
  async warm(): Promise<void> {
    if (this.#warmed || this.#idleCloseMs !== Number.POSITIVE_INFINITY) return;
    this.#warmed = true;
    await this.ready();
  }

  get isOpen(): boolean {
    return this.#writable() !== undefined;
  }

  /** Resolves when the connection has taken the whole frame. @throws DeliveryError */
  send(frame: Uint8Array | Uint8ArrayList): Promise<void> {
    const stream = this.#writable();
    if (stream === undefined) return Promise.reject(new DeliveryError(new Error('The stream is closed'), 0));
    this.#lastWriteMs = performance.now();
    this.#armIdle();
    this.#written += frame.byteLength;
    try {
      stream.send(frame);
    } catch (error) {
      return Promise.reject(new DeliveryError(error, 0));
    }
    this.#settle(stream);
    if (stream.writeBufferLength === 0) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const deadlineMs = performance.now() + this.#init.sendTimeoutMs;
    this.#deliveries.push({ end: this.#written, length: frame.byteLength, deadlineMs, resolve, reject });
    this.#timer ??= this.#armDeadline();
    return promise;
  }

  /** Ends the stream for good. */
  close(reason: Error): void {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    const stream = this.#stream;
    this.#fail(reason);
    if (stream === undefined || stream.status !== 'open') return;
    if (stream.writeBufferLength > 0) stream.abort(reason);
    else stream.close().catch(() => stream.abort(reason));
  }

  #writable(): Stream | undefined {
    return this.#stream?.writeStatus === 'writable' ? this.#stream : undefined;
  }

  async #open(): Promise<Stream> {
    const stream = await this.#init.open(AbortSignal.timeout(this.#init.openTimeoutMs));
    if (this.#closed) {
      stream.abort(new Error('The peer is gone'));
      throw new DeliveryError(new Error('The peer is gone'), 0);
    }
    this.#fail(new Error('The stream was replaced'));
    this.#stream = stream;
    this.#written = 0;
    this.#taken = 0;
    this.#lastWriteMs = performance.now();
    // Bitswap streams are one-way: whatever comes back on this one is thrown away, not collected.
    stream.addEventListener('message', discard);
    stream.addEventListener('idle', () => this.#settle(stream));
    // The stream writes on in a microtask that its own 'drain' listener queued before us.
    stream.addEventListener('drain', () => queueMicrotask(() => queueMicrotask(() => this.#settle(stream))));
    stream.addEventListener('close', (event) => this.#onClose(stream, event));
    return stream;
  }

  #settle(stream: Stream): void {
    // An aborted stream throws its buffer away and says that it is idle: nothing of that was taken.
    if (stream !== this.#stream || stream.status !== 'open' || stream.remoteReadStatus === 'closed') return;
    this.#taken = this.#written - stream.writeBufferLength;
    let count = 0;
    for (const delivery of this.#deliveries) {
      if (delivery.end > this.#taken) break;
      count++;
      delivery.resolve();
    }
    if (count > 0) this.#deliveries = this.#deliveries.slice(count);
  }

  #onClose(stream: Stream, event: StreamCloseEvent): void {
    if (stream !== this.#stream) return;
    const idleMs = performance.now() - this.#lastWriteMs;
    if (event.error !== undefined && !event.local && idleMs > IDLE_RESET_MS_MIN) this.#idleCloseMs = idleMs / 2;
    this.#fail(event.error ?? new Error('The stream was closed'));
    if (event.error !== undefined && !this.#closed && idleMs <= IDLE_RESET_MS_MIN) this.#init.onLost?.();
  }

  #fail(reason: Error): void {
    const deliveries = this.#deliveries;
    this.#stream = undefined;
    this.#deliveries = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { end, length, reject } of deliveries) {
      reject(new DeliveryError(reason, Math.max(0, Math.min(length, this.#taken - (end - length)))));
    }
  }

  #armDeadline(): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#timer = undefined;
      const head = this.#deliveries[0];
      if (head === undefined) return;
      if (head.deadlineMs <= performance.now()) {
        this.#stream?.abort(new StuckError(`The peer did not take a message in ${this.#init.sendTimeoutMs} ms`));
      } else {
        this.#timer = this.#armDeadline();
      }
    }, this.#init.sendTimeoutMs);
    timer.unref();
    return timer;
  }

  #armIdle(): void {
    if (this.#idleCloseMs === Number.POSITIVE_INFINITY) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      const stream = this.#writable();
      if (stream === undefined || this.#deliveries.length > 0) return;
      this.#stream = undefined;
      stream.close().catch((error: Error) => stream.abort(error));
    }, this.#idleCloseMs);
    this.#idleTimer.unref();
  }
}

function discard(): void {}
