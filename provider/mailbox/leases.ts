import { LEASE_MS } from './limits.ts';

/** A device that takes messages: one stream. */
export type Device = object;

interface Lease {
  device: Device;
  untilMs: number;
  /** Sequences that were taken and not acknowledged. */
  taken: Set<number>;
}

/**
 * Who has taken what, for one recipient. A device that takes a message of a sender has the sender to itself until all that
 * it took of it is acknowledged, it goes, or it stays silent too long: so two devices never have the same message at the
 * same time, and each sender's messages stay in order. It is all in memory: after a crash every stream is gone as well.
 */
export class Leases {
  readonly #bySender = new Map<string, Lease>();
  readonly #senders = new Map<number, string>();

  /** True when this device may have the message now. */
  isFree(sender: string, sequence: number, device: Device): boolean {
    const lease = this.#bySender.get(sender);
    return lease === undefined || (lease.device === device && !lease.taken.has(sequence));
  }

  take(sender: string, sequence: number, device: Device, nowMs: number): void {
    const lease = this.#bySender.get(sender) ?? { device, untilMs: 0, taken: new Set<number>() };
    lease.taken.add(sequence);
    lease.untilMs = nowMs + LEASE_MS;
    this.#bySender.set(sender, lease);
    this.#senders.set(sequence, sender);
  }

  /** Acknowledged by whomever. */
  acknowledged(sequences: readonly number[]): void {
    for (const sequence of sequences) {
      const sender = this.#senders.get(sequence);
      if (sender === undefined) continue;
      this.#senders.delete(sequence);
      const { taken } = this.#bySender.get(sender)!;
      taken.delete(sequence);
      if (taken.size === 0) this.#bySender.delete(sender);
    }
  }

  /** How many messages this device has. */
  takenBy(device: Device): number {
    let count = 0;
    for (const lease of this.#bySender.values()) if (lease.device === device) count += lease.taken.size;
    return count;
  }

  /** Gives back all that a device has; true when there was something. */
  release(device: Device): boolean {
    let any = false;
    for (const [sender, lease] of this.#bySender) {
      if (lease.device !== device) continue;
      this.#end(sender, lease);
      any = true;
    }
    return any;
  }

  /** Gives back what was taken by devices that have been silent for too long; true when there was something. */
  releaseLapsed(nowMs: number): boolean {
    let any = false;
    for (const [sender, lease] of this.#bySender) {
      if (lease.untilMs > nowMs) continue;
      this.#end(sender, lease);
      any = true;
    }
    return any;
  }

  get isEmpty(): boolean {
    return this.#bySender.size === 0;
  }

  #end(sender: string, { taken }: Lease): void {
    this.#bySender.delete(sender);
    for (const sequence of taken) this.#senders.delete(sequence);
  }
}
