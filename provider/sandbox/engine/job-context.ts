import { CALL_PRICES, type CallName } from '../abi/prices.ts';
import { RandomStream } from '../abi/random.ts';
import { LOG_LIMITS } from '../abi/limits.ts';
import { JobEnd } from '../errors.ts';
import type { EngineJob, LogLine } from '../types.ts';
import type { WasiCall } from '../wasi/signatures.ts';
import { FuelBudget } from './fuel-budget.ts';
import type { Host } from './host.ts';
import type { Instance } from './instance.ts';
import { JobState } from './job-state.ts';
import { Output } from './output.ts';
import { Sent } from './sent.ts';

const lossyText = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Everything the host calls of one running job work on: its instance's memory and fuel, its input, its output. One
 * context serves job after job; `begin` leaves nothing of the last one.
 */
export class JobContext {
  readonly host: Host;
  readonly output = new Output();
  readonly random: RandomStream;
  #instance: Instance | undefined;
  #view = new Uint8Array(0);
  #job: EngineJob | undefined;
  state = new JobState(undefined, false);
  sent = new Sent(false, undefined);
  #budget: FuelBudget | undefined;
  #logs: LogLine[] = [];
  #logBytes = 0;
  readBytes = 0;

  constructor(host: Host) {
    this.host = host;
    this.random = new RandomStream((bytes) => host.sha256(bytes));
  }

  begin(job: EngineJob, budget: FuelBudget): void {
    this.#job = job;
    this.#budget = budget;
    this.#logs = [];
    this.#logBytes = 0;
    this.readBytes = 0;
    this.state = new JobState(job.state === undefined ? undefined : this.host.state, job.state?.writable === true);
    this.sent = new Sent(job.state?.writable === true, job.delivery?.followUps);
    this.output.reset(job.limits.outputBytesMax);
    this.random.reset(job.seed);
    this.host.begin?.();
  }

  /** From here on host calls reach this instance's memory and fuel. */
  attach(instance: Instance): void {
    this.#instance = instance;
    this.#view = new Uint8Array(instance.memory.buffer);
  }

  end(): void {
    this.#instance = undefined;
    this.#view = new Uint8Array(0);
    this.#job = undefined;
    this.#budget = undefined;
  }

  get job(): EngineJob {
    if (this.#job === undefined) throw new Error('a host call outside a job');
    return this.#job;
  }

  get budget(): FuelBudget {
    if (this.#budget === undefined) throw new Error('a host call outside a job');
    return this.#budget;
  }

  /** Bytes that are charged as written: into the state, and as messages. */
  get writtenBytes(): number {
    return this.state.writtenBytes + this.sent.pricedBytes;
  }

  get logs(): LogLine[] {
    return this.#logs;
  }

  #current(): Instance {
    if (this.#instance === undefined) throw new Error('a host call outside a job');
    return this.#instance;
  }

  /** Burns the price of a call before its work is done. */
  charge(call: CallName, byteCount: number): void {
    const price = CALL_PRICES[call];
    this.burn(price.fixed + price.perByte * byteCount);
  }

  /** Burns the rest of a call's price, when the number of bytes is known only afterwards. */
  chargeBytes(call: CallName, byteCount: number): void {
    this.burn(CALL_PRICES[call].perByte * byteCount);
  }

  burn(units: number): void {
    const { fuel } = this.#current();
    const left = fuel.value - BigInt(units);
    fuel.value = left;
    if (left < 0n) throw outOfFuel(this.budget);
  }

  /**
   * Takes the price of all bytes of output, read and written, out of the fuel that is left. Called before they are handed over:
   * what the price limit does not buy does not happen. A cut is no charge: the fuel burnt stays the same.
   */
  spend(more: { output?: number; read?: number; written?: number }): void {
    const total = this.budget.affordable(
      this.output.size + (more.output ?? 0),
      this.readBytes + (more.read ?? 0),
      this.writtenBytes + (more.written ?? 0),
    );
    const cut = this.budget.given - total;
    if (cut <= 0) return;
    const { fuel } = this.#current();
    const left = fuel.value - BigInt(cut);
    if (left < 0n) {
      throw new JobEnd(
        'PRICE_EXCEEDED',
        'The output, the blocks that the handler read and what it wrote and sent cost more than priceMax. Raise it.',
      );
    }
    this.budget.cutTo(total);
    fuel.value = left;
  }

  /** The bytes of a range that the handler named; pointers and lengths are unsigned 32-bit. */
  bytes(call: CallName | WasiCall, pointer: number, length: number): Uint8Array {
    const start = pointer >>> 0;
    const size = length >>> 0;
    const { memory } = this.#current();
    // Growing detaches the old buffer.
    if (this.#view.buffer !== memory.buffer) this.#view = new Uint8Array(memory.buffer);
    if (start + size > this.#view.length) {
      throw new JobEnd(
        'INVALID_POINTER',
        `The handler called ${call} with ${size} bytes at ${start}; its memory has ${this.#view.length} bytes.`,
      );
    }
    return this.#view.subarray(start, start + size);
  }

  text(bytes: Uint8Array): string {
    return lossyText.decode(bytes);
  }

  log(level: number, bytes: Uint8Array): void {
    const room = LOG_LIMITS.bytesMax - this.#logBytes - LOG_LIMITS.bytesPerLine;
    if (room <= 0) return;
    const kept = bytes.subarray(0, room);
    this.#logBytes += kept.length + LOG_LIMITS.bytesPerLine;
    this.#logs.push({ level, message: this.text(kept) });
  }
}

export function outOfFuel(budget: FuelBudget): JobEnd {
  if (budget.limitedByPrice) {
    return new JobEnd(
      'PRICE_EXCEEDED',
      `The handler burnt all ${budget.given} units of fuel that priceMax buys. Raise it.`,
    );
  }
  return new JobEnd(
    'OUT_OF_FUEL',
    `The handler burnt all ${budget.given} units of fuel it was given. Raise fuelMax, or look for an endless loop.`,
  );
}
