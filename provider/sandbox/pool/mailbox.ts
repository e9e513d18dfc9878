/**
 * Shared memory through which small batches and their results cross between the threads: for a small job, cloning even
 * one buffer each way costs as much as running it. A slot's mailbox belongs to one batch at a time; the slot is free
 * again only when its worker has answered or its thread is gone, so nobody writes into another batch's mail.
 */
export const MAIL_BYTES_MAX = 64 * 1024;

export class Mailboxes {
  readonly buffer: SharedArrayBuffer;

  constructor(slots: number | SharedArrayBuffer) {
    this.buffer = typeof slots === 'number' ? new SharedArrayBuffer(slots * 2 * MAIL_BYTES_MAX) : slots;
  }

  /** Byte offset of a slot's mail to the worker. */
  request(slot: number): number {
    return slot * 2 * MAIL_BYTES_MAX;
  }

  /** Byte offset of a slot's mail to the main thread. */
  response(slot: number): number {
    return (slot * 2 + 1) * MAIL_BYTES_MAX;
  }
}
