import { CanonicalWriter, entryCost, Event, localsPerUnit, Op, Reader } from '../metering/parts.ts';
import type { Body, CanonicalPlace, Events, FunctionFacts, FunctionType, Module, Writer } from '../metering/parts.ts';
import { ProbeTypes } from './probe-layout.ts';
import type { ProbeLayout } from './probe-layout.ts';
import { ProbeWriter } from './probe-writer.ts';
import type { Site } from './sites.ts';

/**
 * Writes instrumented bodies:
 *
 *     (tell: entered) (pay for the entry)
 *     block $body (results)
 *       ... each stretch of the original behind a payment of its own; its function label is $body
 *     end
 *     (tell: left)
 */
export class BodyWriter extends ProbeWriter {
  readonly sites: Site[] = [];
  private readonly module: Module;
  private readonly events: Events;
  private readonly stackBytes: Float64Array;
  private readonly canonical: CanonicalWriter;
  private index = 0;
  private cursor = 0;
  private places: readonly CanonicalPlace[] = [];
  private nextPlace = 0;

  constructor(
    module: Module,
    events: Events,
    stackBytes: Float64Array,
    layout: ProbeLayout,
    out: Writer,
    tableEntriesMax: number,
  ) {
    super(out, layout, tableEntriesMax);
    this.module = module;
    this.events = events;
    this.stackBytes = stackBytes;
    this.canonical = new CanonicalWriter(out);
  }

  /** Writes the body of one function, without its size. */
  body(index: number, body: Body, facts: FunctionFacts, places: readonly CanonicalPlace[]): void {
    const { out } = this;
    const { params, results } = this.typeOf(index);
    const stackBytes = this.stackBytes[index] as number;
    this.index = index;
    this.cursor = body.code;
    this.places = places;
    this.nextPlace = 0;
    this.temporary = params.length + body.localsDeclared;
    this.locals(body, [ProbeTypes.i32, ProbeTypes.i64, ...this.canonical.locals(places, this.temporary + 2)]);

    this.enter(index);
    const cost = entryCost + Math.floor(body.localsDeclared / localsPerUnit);
    this.pay(this.site(body.code, body.code, body.code, cost), cost);
    this.takeStack(stackBytes);
    out.byte(Op.block);
    this.blockType(results);
    this.code(facts, stackBytes);
    out.byte(Op.end);
    this.leave();
    this.giveStack(stackBytes);
    out.byte(Op.end);
  }

  /** The body of what stands for an import in tables and references. */
  thunk(target: number): void {
    const { out } = this;
    const { params } = this.typeOf(target);
    this.index = target;
    this.temporary = params.length;
    out.put(2, 1, ProbeTypes.i32, 1, ProbeTypes.i64);
    for (let index = 0; index < params.length; index++) this.with(Op.localGet, index);
    this.callHost(target, this.site(-1, -1, -1, 0));
    out.byte(Op.end);
  }

  private typeOf(index: number): FunctionType {
    return this.module.types[this.module.functions[index] as number] as FunctionType;
  }

  private site(start: number, end: number, last: number, cost: number): number {
    return this.sites.push({ function: this.index, start, end, last, cost }) - 1;
  }

  private locals(body: Body, extra: readonly number[]): void {
    const { out, module } = this;
    const reader = new Reader(module.bytes, body.start, body.code);
    out.u32(reader.u32() + extra.length);
    out.copy(module.bytes, reader.pos, body.code);
    for (const type of extra) out.put(1, type);
  }

  private blockType(results: readonly number[]): void {
    if (results.length > 1) this.out.signed(this.layout.typeIndex([], results));
    else this.out.byte(results[0] ?? Op.empty);
  }

  /** The original code up to, not including, its last `end`. */
  private code({ first, last }: FunctionFacts, stackBytes: number): void {
    const { out, events, layout } = this;
    const { kind, at, next, arg, cost } = events;
    const imported = this.module.imports.length;
    let depth = 0;
    for (let e = first; e < last; e++) {
      const start = at[e] as number;
      const after = next[e] as number;
      const target = arg[e] as number;
      let site = -1;
      if ((cost[e] as number) > 0) {
        site = this.site(this.cursor, after, start, cost[e] as number);
        this.pay(site, cost[e] as number);
      }
      this.copyTo(start);
      if (e === last - 1) return;
      this.cursor = after;
      switch (kind[e]) {
        case Event.call:
          if (target < imported) this.callHost(target, site);
          else this.with(Op.call, layout.callee(target));
          continue;
        case Event.memoryGrow:
          this.growMemory(site);
          continue;
        case Event.refFunc:
          this.with(Op.refFunc, layout.reference(target));
          continue;
        case Event.bulk:
          this.payLength(site, target);
          break;
        case Event.block:
        case Event.loop:
        case Event.if:
          depth++;
          break;
        case Event.end:
          depth--;
          break;
        case Event.return:
          this.with(Op.br, depth);
          this.cursor = at[e + 1] as number;
          continue;
        case Event.returnCall:
          if (target < imported) {
            this.callHost(target, site);
            this.with(Op.br, depth);
          } else {
            this.leave();
            this.giveStack(stackBytes);
            this.with(Op.returnCall, layout.callee(target));
          }
          this.cursor = at[e + 1] as number;
          continue;
        case Event.returnCallIndirect:
          this.leave();
          this.giveStack(stackBytes);
          break;
      }
      out.copy(this.module.bytes, start, after);
      if (endsCode(kind[e] as number)) this.cursor = at[e + 1] as number;
    }
  }

  private copyTo(end: number): void {
    const { places } = this;
    for (; this.nextPlace < places.length; this.nextPlace++) {
      const place = places[this.nextPlace] as CanonicalPlace;
      if (place.at > end) break;
      this.copy(place.at);
      this.canonical.write(place.kind);
    }
    this.copy(end);
  }

  private copy(end: number): void {
    this.out.copy(this.module.bytes, this.cursor, end);
    this.cursor = end;
  }
}

/** What follows can never run, and so is left out. */
function endsCode(kind: number): boolean {
  return kind === Event.br || kind === Event.brTable || kind === Event.unreachable || kind === Event.returnCallIndirect;
}
