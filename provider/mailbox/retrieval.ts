import type { PeerId } from '@libp2p/interface';
import { MailboxError } from './errors.ts';
import { Leases, type Device } from './leases.ts';
import { PAGE_BYTES_MAX, SCAN_MAX, TAKEN_MAX } from './limits.ts';
import type { Question } from './net/wire.ts';
import type { MailboxStore } from './store/store.ts';
import type { Message } from './types.ts';

type Asked<Ask extends Question['ask']> = Extract<Question, { ask: Ask }>;

const SCAN_PAGE = 500;

/** What recipients do: look at what waits, take it and acknowledge it, from one device or several. */
export class Retrieval {
  readonly #store: MailboxStore;
  readonly #notify: (peer: string) => void;
  /** By recipient. */
  readonly #leases = new Map<string, Leases>();
  /** Messages, since the start. */
  acknowledged = 0;

  /** @param notify tells a recipient that something is free again */
  constructor(store: MailboxStore, notify: (peer: string) => void) {
    this.#store = store;
    this.#notify = notify;
  }

  list({ after, limit }: Asked<'list'>, peer: PeerId): object {
    const box = this.#boxOf(peer);
    const { messages: waiting, bytes: waitingBytes } = this.#store.waiting(box);
    return { messages: this.#store.heads(box, after, limit), waiting, waitingBytes };
  }

  take({ limit, bytesMax }: Asked<'take'>, peer: PeerId, device: Device): object {
    const box = this.#boxOf(peer);
    const leases = this.#leases.get(peer.toString()) ?? new Leases();
    if (leases.takenBy(device) + limit > TAKEN_MAX) {
      throw new MailboxError('TOO_MANY_TAKEN', `Acknowledge some of the ${leases.takenBy(device)} that you have.`);
    }
    const { messages, more } = this.#page(box, leases, device, limit, Math.min(bytesMax, PAGE_BYTES_MAX));
    const nowMs = performance.now();
    for (const { from, sequence } of messages) leases.take(from, sequence, device, nowMs);
    if (messages.length > 0) this.#leases.set(peer.toString(), leases);
    return { messages, more };
  }

  async acknowledge({ sequences }: Asked<'acknowledge'>, peer: PeerId): Promise<object> {
    const box = this.#boxOf(peer);
    const { count } = await this.#store.run<'acknowledged'>({ do: 'acknowledge', mailbox: box, sequences });
    this.#leases.get(peer.toString())?.acknowledged(sequences);
    this.acknowledged += count;
    return { acknowledged: count };
  }

  /** A device went: what it has taken is for the others. */
  release(device: Device, peer: string): void {
    if (this.#leases.get(peer)?.release(device) === true) this.#notify(peer);
  }

  /** The same for devices that have been silent for too long. */
  releaseLapsed(nowMs: number): void {
    for (const [peer, leases] of this.#leases) {
      if (leases.releaseLapsed(nowMs)) this.#notify(peer);
      if (leases.isEmpty) this.#leases.delete(peer);
    }
  }

  /** A mailbox was closed: nobody has anything of it. */
  forget(peer: string): void {
    this.#leases.delete(peer);
  }

  #page(
    box: number,
    leases: Leases,
    device: Device,
    limit: number,
    bytesMax: number,
  ): { messages: Message[]; more: boolean } {
    const messages: Message[] = [];
    let bytes = 0;
    let after = 0;
    for (let looked = 0; looked < SCAN_MAX; looked += SCAN_PAGE) {
      const heads = this.#store.heads(box, after, SCAN_PAGE);
      for (const head of heads) {
        if (!leases.isFree(head.from, head.sequence, device)) continue;
        bytes += head.bytes;
        const isFull = messages.length > 0 && bytes > bytesMax;
        // Nothing behind the first that does not fit: it could be by the same sender.
        if (messages.length >= limit || isFull) return { messages, more: true };
        const message = this.#store.message(head);
        if (message !== undefined) messages.push(message);
      }
      if (heads.length < SCAN_PAGE) break;
      after = heads.at(-1)!.sequence;
    }
    return { messages, more: false };
  }

  #boxOf(peer: PeerId): number {
    const box = this.#store.mailboxOf(peer.toString());
    if (box !== undefined) return box.id;
    throw new MailboxError('MAILBOX_UNKNOWN', 'You have no mailbox at this provider. Open one first.');
  }
}
