import { Event, markAnchor, markElse, markLoops, markTraps } from './events.ts';
import type { Events, FunctionFacts } from './events.ts';
import { Reader } from './reader.ts';

/**
 * Where a function's fixed charges go. Every point of the code has a due: what has been paid in advance when control
 * gets there. A stretch of code ends by paying what its successor is due beyond that, and the due before a fork is the
 * *least* of its branches' dues, so that nothing is ever paid that a run which completes would not owe: such a run
 * is stopped exactly when its total exceeds the limit. Loop headers and the targets of branch tables are due nothing and
 * pay for themselves, as charges cannot be put on their edges.
 *
 * One pass backwards over the events settles it, since only loops are branched to from behind.
 */
export class Charges {
  /** Paid right after the event, when control goes on behind it: behind a branch not taken, into a `then`, at a header. */
  readonly pay: Float64Array;
  /** Paid on the other edge: of a taken `br_if`, into an `else`. */
  readonly edge: Float64Array;

  constructor(events: Events) {
    this.pay = new Float64Array(events.length);
    this.edge = new Float64Array(events.length);
  }
}

export class FlowAnalyzer {
  readonly charges: Charges;
  private readonly events: Events;
  private readonly reader: Reader;
  private readonly labelDue: Float64Array;
  private readonly labelStops: Uint8Array;
  private readonly elseDue: Float64Array;
  private readonly elseStops: Uint8Array;
  private readonly joinDue: Float64Array;
  private readonly joinStops: Uint8Array;

  constructor(bytes: Uint8Array, events: Events, nestingMax: number) {
    this.events = events;
    this.charges = new Charges(events);
    this.reader = new Reader(bytes);
    this.labelDue = new Float64Array(nestingMax + 2);
    this.labelStops = new Uint8Array(nestingMax + 2);
    this.elseDue = new Float64Array(nestingMax + 2);
    this.elseStops = new Uint8Array(nestingMax + 2);
    this.joinDue = new Float64Array(nestingMax + 2);
    this.joinStops = new Uint8Array(nestingMax + 2);
  }

  /**
   * Settles one function; answers what is due at its entry and whether nothing is paid behind that.
   * `constantCosts[f]` is what a caller pays for calling `f`, below zero when `f` pays for itself.
   */
  analyze(facts: FunctionFacts, constantCosts: Float64Array): { due: number; flat: boolean } {
    const { kind, mark, arg, cost, at } = this.events;
    const { pay, edge } = this.charges;
    const { labelDue, labelStops, elseDue, elseStops, joinDue, joinStops } = this;
    let depth = -1;
    let due = 0;
    // True where every way on ends in a trap: such a run never completes, so its dues need not be the least.
    let stops = false;
    let flat = true;
    for (let e = facts.last - 1; e >= facts.first; e--) {
      switch (kind[e]) {
        case Event.end: {
          const opener = arg[e] as number;
          const isLoop = opener >= 0 && kind[opener] === Event.loop;
          if (opener >= 0 && (mark[opener] as number) & markAnchor && !isLoop) {
            pay[e] = due;
            if (due !== 0) flat = false;
            due = 0;
            stops = false;
          }
          depth++;
          labelDue[depth] = isLoop ? 0 : due;
          labelStops[depth] = !isLoop && stops ? 1 : 0;
          joinDue[depth] = elseDue[depth] = due;
          joinStops[depth] = elseStops[depth] = stops ? 1 : 0;
          break;
        }
        case Event.else:
          elseDue[depth] = due;
          elseStops[depth] = stops ? 1 : 0;
          due = joinDue[depth] as number;
          stops = joinStops[depth] === 1;
          break;
        case Event.if: {
          const otherDue = elseDue[depth] as number;
          const otherStops = elseStops[depth] === 1;
          const least = stops === otherStops ? Math.min(due, otherDue) : stops ? otherDue : due;
          pay[e] = due - least;
          edge[e] = otherDue - least;
          if (due !== otherDue) flat = false;
          due = least;
          stops &&= otherStops;
          depth--;
          break;
        }
        case Event.block:
          depth--;
          break;
        case Event.loop:
          if ((mark[e] as number) & markLoops) {
            pay[e] = due;
            due = 0;
            stops = false;
            flat = false;
          }
          depth--;
          break;
        case Event.brIf: {
          const target = depth - (arg[e] as number);
          const takenDue = labelDue[target] as number;
          const takenStops = labelStops[target] === 1;
          const least = stops === takenStops ? Math.min(due, takenDue) : stops ? takenDue : due;
          pay[e] = due - least;
          // On the way to a trap nothing has to be given back: a check of bounds costs the way past it nothing.
          edge[e] = takenStops && !stops ? Math.max(0, takenDue - least) : takenDue - least;
          if (takenStops) mark[e] = (mark[e] as number) | markTraps;
          if (due !== takenDue) flat = false;
          due = least;
          stops &&= takenStops;
          break;
        }
        case Event.br: {
          const target = depth - (arg[e] as number);
          due = labelDue[target] as number;
          stops = labelStops[target] === 1;
          if (stops) mark[e] = (mark[e] as number) | markTraps;
          break;
        }
        case Event.brTable: {
          // Several targets are all anchors, loops or the function's end, and due nothing: any of them will do.
          this.reader.pos = (at[e] as number) + 1;
          this.reader.u32();
          const target = depth - this.reader.u32();
          due = labelDue[target] as number;
          stops = labelStops[target] === 1;
          break;
        }
        case Event.return:
        case Event.returnCallIndirect:
          due = 0;
          stops = false;
          break;
        case Event.unreachable:
          due = 0;
          stops = true;
          break;
        case Event.returnCall:
          due = Math.max(0, constantCosts[arg[e] as number] as number);
          stops = false;
          break;
        case Event.call:
          due += Math.max(0, constantCosts[arg[e] as number] as number);
          break;
      }
      due += cost[e] as number;
    }
    return { due, flat };
  }

  hasElse(opener: number): boolean {
    return ((this.events.mark[opener] as number) & markElse) !== 0;
  }
}
