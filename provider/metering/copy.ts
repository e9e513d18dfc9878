import { CanonicalWriter } from './canonical-writer.ts';
import type { CountedLoop } from './counted.ts';
import { FuelWriter } from './fuel-writer.ts';
import type { Layout } from './layout.ts';
import type { CanonicalPlace } from './nan.ts';
import type { Writer } from './writer.ts';

/** Copies a function's own code, moving its locals and making NaNs canonical on the way. */
export class CodeCopier extends FuelWriter {
  private readonly declaredLocals: Int32Array;
  protected readonly canonical: CanonicalWriter;
  protected paramCount = 0;
  /** Added parameters: declared locals move up by as many. */
  protected shift = 0;
  /** Up to here the original has been copied or left out. */
  protected cursor = 0;
  protected nextLocal = 0;
  protected lastLocal = 0;
  protected places: readonly CanonicalPlace[] = [];
  protected nextPlace = 0;

  constructor(source: Uint8Array, declaredLocals: Int32Array, layout: Layout, out: Writer, tableEntriesMax: number) {
    super(source, layout, out, tableEntriesMax);
    this.declaredLocals = declaredLocals;
    this.canonical = new CanonicalWriter(out);
  }

  /** Copies the original up to `end`, making NaNs canonical where they show. */
  protected copyTo(end: number): void {
    const { places } = this;
    for (; this.nextPlace < places.length; this.nextPlace++) {
      const place = places[this.nextPlace] as CanonicalPlace;
      if (place.at > end) break;
      this.copyMoving(place.at);
      this.canonical.write(place.kind);
    }
    this.copyMoving(end);
  }

  /**
   * Copies the original up to `end`, moving the declared locals that it names behind the added parameters. Used for an
   * event's own operation: what has to be made canonical right behind it waits for what the meter adds to it.
   */
  protected copyMoving(end: number): void {
    const { out, source, declaredLocals } = this;
    while (this.nextLocal < this.lastLocal) {
      const place = declaredLocals[this.nextLocal] as number;
      if (place >= end) break;
      this.nextLocal++;
      out.copy(source, this.cursor, place + 1);
      this.reader.pos = place + 1;
      out.u32(this.reader.u32() + this.shift);
      this.cursor = this.reader.pos;
    }
    out.copy(source, this.cursor, end);
    this.cursor = end;
  }

  /** The loop with its locals where they are in the metered function. */
  protected moved(loop: CountedLoop): CountedLoop {
    const move = (local: number): number => (local < this.paramCount ? local : local + this.shift);
    const bound = 'local' in loop.bound ? { local: move(loop.bound.local) } : loop.bound;
    return { ...loop, local: move(loop.local), bound };
  }

  /** Leaves out code that can never run. */
  protected skipTo(start: number): void {
    while (this.nextLocal < this.lastLocal && (this.declaredLocals[this.nextLocal] as number) < start) this.nextLocal++;
    this.cursor = start;
  }
}
