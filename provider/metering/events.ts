/**
 * Code seen by the meter: only the operations that direct control, call, or need a charge of their own are events;
 * everything between two events is plain code that is copied as it is, and costs what its operations cost together.
 */
export const Event = {
  block: 1,
  loop: 2,
  if: 3,
  else: 4,
  end: 5,
  br: 6,
  brIf: 7,
  brTable: 8,
  return: 9,
  unreachable: 10,
  call: 11,
  callIndirect: 12,
  returnCall: 13,
  returnCallIndirect: 14,
  memoryGrow: 15,
  bulk: 16,
  refFunc: 17,
} as const;

/** A loop that something branches back to. Without this bit it runs once, like a block. */
export const markLoops = 1;
/** A label that a branch table with several targets can reach: charges cannot be put on such an edge. */
export const markAnchor = 2;
/** An `if` with an `else`. */
export const markElse = 4;
/** An `else` or `end` that is never reached by falling through, as the code before it never ends. */
export const markDead = 8;
/** A branch to where every way on ends in a trap. Set when the charges are placed. */
export const markTraps = 16;

/** Events of all functions of a module, as columns. Code that can never run leaves no events and is not copied. */
export class Events {
  kind: Uint8Array;
  mark: Uint8Array;
  /** Where the operation stands, and where the next one does. */
  at: Int32Array;
  next: Int32Array;
  /** Depth of a branch, index of a function or type, block type, operation after 0xfc; the opener for else and end. */
  arg: Int32Array;
  /** Cost of the plain code before it and its own fixed cost. */
  cost: Float64Array;
  length = 0;

  constructor(capacity: number) {
    this.kind = new Uint8Array(capacity);
    this.mark = new Uint8Array(capacity);
    this.at = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.arg = new Int32Array(capacity);
    this.cost = new Float64Array(capacity);
  }

  push(kind: number, at: number, next: number, arg: number, cost: number): number {
    const index = this.length;
    if (index === this.kind.length) this.grow();
    this.kind[index] = kind;
    this.at[index] = at;
    this.next[index] = next;
    this.arg[index] = arg;
    this.cost[index] = cost;
    this.length = index + 1;
    return index;
  }

  private grow(): void {
    const capacity = this.kind.length * 2;
    const wider = <A extends Uint8Array | Int32Array | Float64Array>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    this.kind = wider(this.kind, new Uint8Array(capacity));
    this.mark = wider(this.mark, new Uint8Array(capacity));
    this.at = wider(this.at, new Int32Array(capacity));
    this.next = wider(this.next, new Int32Array(capacity));
    this.arg = wider(this.arg, new Int32Array(capacity));
    this.cost = wider(this.cost, new Float64Array(capacity));
  }
}

/** What the scan learns about one function beside its events. */
export interface FunctionFacts {
  /** Its events: from `first` up to, not including, `last`. The last one is the body's own `end`. */
  first: number;
  last: number;
  /** Its places among the scanner's `declaredLocals`. */
  firstLocal: number;
  lastLocal: number;
  operandsMax: number;
  /** Operations whose results an engine may keep on the stack beyond their use. */
  values: number;
  hasLoop: boolean;
  /** Its metered form must set an operand aside. */
  hasTemporary: boolean;
  /** It computes floats, and it shows bits of floats, so far as one look at each operation tells. */
  computesFloats: boolean;
  showsFloats: boolean;
}
