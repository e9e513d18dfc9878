import { Event, markTraps } from './events.ts';
import type { Events } from './events.ts';
import type { Plan } from './plan.ts';
import { Reader } from './reader.ts';
import { Op } from './wasm.ts';

/**
 * Innermost loops that say at their end how often they go round:
 *
 *     loop ... local.get i  i32.const step  i32.add  local.tee i  bound  i32.ne  br_if 0  end
 *
 * where nothing else writes `i` or the bound, goes round, or leaves but to a trap. Their passes are known before the first one, so they are
 * paid before the loop, with one check, and the loop itself is as it was.
 */
export interface CountedLoop {
  /** Event of its `br_if`. */
  branch: number;
  /** Local that counts. */
  local: number;
  /** Added in each pass, a 32-bit number but 0. */
  step: number;
  /** The loop ends when the count is this: a constant, or a local's value. */
  bound: { constant: number } | { local: number };
  /** Events of the branches that leave it. Unless they all lead to traps, its passes are not known. */
  exits: readonly number[];
}

/** What one pass may cost at most for the sum over 2^32 passes to fit the fuel's 64 bits. */
const passCostMax = 2 ** 20;
const historyMask = 7;
const i32Ne = 0x47;

/** Follows the scan of a function and finds its counted loops. */
export class LoopWatch {
  /** By loop event. */
  readonly found = new Map<number, CountedLoop>();
  private readonly reader: Reader;
  /** The innermost loop at hand, or -1 when there is none or another loop was in it. */
  private loop = -1;
  private level = 0;
  private at = 0;
  private regular = false;
  private exits: number[] = [];
  /** Of each local: where it was last written, and where before that. Places only ever grow over a module. */
  private readonly written: Int32Array;
  private readonly writtenBefore: Int32Array;
  /** Where the last operations stand. */
  private readonly history = new Int32Array(historyMask + 1);
  private count = 0;

  constructor(bytes: Uint8Array, localsMax: number) {
    this.reader = new Reader(bytes);
    this.written = new Int32Array(localsMax);
    this.writtenBefore = new Int32Array(localsMax);
  }

  operation(at: number): void {
    this.history[this.count++ & historyMask] = at;
  }

  write(local: number, at: number): void {
    this.writtenBefore[local] = this.written[local] as number;
    this.written[local] = at;
  }

  open(event: number, level: number, at: number): void {
    this.loop = event;
    this.level = level;
    this.at = at;
    this.regular = true;
    this.exits = [];
  }

  close(level: number): void {
    if (level <= this.level) this.loop = -1;
  }

  /** A branch to the label of the block open at `level`. `event` is the event it will be. */
  branch(level: number, event: number): void {
    if (this.loop < 0) return;
    if (level < this.level) this.exits.push(event);
    else if (level === this.level) this.regular = false;
  }

  /** What leaves the function, or pays for itself. */
  spoil(): void {
    this.regular = false;
  }

  /**
   * A `br_if` to the innermost label, last in its block. `branch` is the event it will be. Answers the step when it is the end
   * of a counted loop, or else 0.
   */
  closes(branch: number, level: number): number {
    if (this.loop < 0 || !this.regular || level !== this.level) return 0;
    const counted = this.match(branch);
    if (counted === undefined) return 0;
    this.found.set(this.loop, counted);
    return counted.step;
  }

  private match(branch: number): CountedLoop | undefined {
    if (this.opcode(1) !== i32Ne) return this.increment(1, branch, { constant: 0 });
    const last = this.bound(2);
    if (last !== undefined && this.opcode(3) === Op.localTee) return this.increment(3, branch, last);
    const first = this.bound(6);
    return first === undefined ? undefined : this.increment(2, branch, first);
  }

  /** The operations up to the one `back` ago count the local up or down. */
  private increment(back: number, branch: number, bound: CountedLoop['bound']): CountedLoop | undefined {
    const down = this.opcode(back + 1) === Op.i32Sub;
    if (this.opcode(back) !== Op.localTee || !(down || this.opcode(back + 1) === Op.i32Add)) return undefined;
    if (this.opcode(back + 2) !== Op.i32Const || this.opcode(back + 3) !== Op.localGet) return undefined;
    const local = this.index(back);
    const constant = this.constant(back + 2);
    const step = (down ? -constant : constant) | 0;
    if (this.index(back + 3) !== local || step === 0) return undefined;
    if (this.place(back + 3) < this.at || (this.writtenBefore[local] as number) > this.at) return undefined;
    if ('local' in bound && (bound.local === local || (this.written[bound.local] as number) > this.at))
      return undefined;
    return { branch, local, step, bound, exits: this.exits };
  }

  private bound(back: number): CountedLoop['bound'] | undefined {
    if (this.place(back) < this.at) return undefined;
    if (this.opcode(back) === Op.i32Const) return { constant: this.constant(back) };
    return this.opcode(back) === Op.localGet ? { local: this.index(back) } : undefined;
  }

  /** Where the operation stands that was so many before the branch. */
  private place(back: number): number {
    // The branch itself is the last one noted.
    return this.history[(this.count - 1 - back) & historyMask] as number;
  }

  private opcode(back: number): number {
    return this.reader.bytes[this.place(back)] as number;
  }

  private index(back: number): number {
    this.reader.pos = this.place(back) + 1;
    return this.reader.u32();
  }

  private constant(back: number): number {
    this.reader.pos = this.place(back) + 1;
    return this.reader.s33();
  }
}

/**
 * Those of the loops found that can be paid in advance. What else is paid inside, on the ways that differ, comes without a check,
 * so there must not be more of it than was checked for.
 */
export function payableInAdvance(
  found: ReadonlyMap<number, CountedLoop>,
  events: Events,
  { charges, callerPays }: Plan,
): Map<number, CountedLoop> {
  const { pay, edge } = charges;
  const payable = new Map<number, CountedLoop>();
  for (const [event, loop] of found) {
    const each = pay[event] as number;
    if (each < 1 || each > passCostMax || edge[loop.branch] !== 0) continue;
    if (!loop.exits.every((exit) => (events.mark[exit] as number) & markTraps)) continue;
    let unchecked = 0;
    for (let e = event + 1; e < loop.branch; e++) {
      unchecked += Math.max(0, pay[e] as number) + Math.max(0, edge[e] as number);
      if (events.kind[e] === Event.call && (callerPays[events.arg[e] as number] as number) < 0) unchecked = Infinity;
    }
    if (unchecked <= each) payable.set(event, loop);
  }
  return payable;
}

/**
 * The arithmetic of passes: the least `t >= 1` with `i + t × step = bound` in 32 bits. With `step = odd × 2^zeros` and the inverse of
 * `odd` modulo 2^32, `(bound - i) × inverse = t × 2^zeros`. When its low `zeros` bits are not 0 there is no such `t`.
 */
export function passArithmetic(step: number): { zeros: number; inverse: number } {
  const zeros = 31 - Math.clz32(step & -step);
  const odd = step >> zeros;
  // Each step of Newton's doubles the bits that are right; the first three are, as odd × odd = 1 modulo 8.
  let inverse = odd;
  for (let bits = 3; bits < 32; bits *= 2) inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse));
  return { zeros, inverse: inverse | 0 };
}
