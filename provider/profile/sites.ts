import { cost, miscCost, simdCost, skipImmediates, Reader } from '../metering/parts.ts';

/** A stretch of code without a way in or out but its ends: it runs as a whole, so one counter tells its fuel. */
export interface Site {
  /** Index in the module as it came. */
  function: number;
  /** Byte offsets of its first operation and behind its last; both -1 for what the code does not show. */
  start: number;
  end: number;
  /** Where the operation stands that may cost more than its fixed part: the last one. */
  last: number;
  /** Fuel for one run through it, without what lengths and the host add. */
  cost: number;
}

/** Fuel at a byte offset of the module as it came. */
export interface Spot {
  function: number;
  offset: number;
  fuel: number;
}

/** Shares what the counters say among the operations. The spots add up to exactly what the counters do. */
export function spotsOf(bytes: Uint8Array, sites: readonly Site[], counters: BigInt64Array): Spot[] {
  const spots: Spot[] = [];
  for (const [index, site] of sites.entries()) {
    const runs = Number(counters[index * 2]);
    const extra = Number(counters[index * 2 + 1]);
    if (runs === 0 && extra === 0) continue;
    let rest = site.cost * runs + extra;
    const add = (offset: number, fuel: number): void => {
      rest -= fuel;
      if (fuel !== 0) spots.push({ function: site.function, offset, fuel });
    };
    if (site.start < site.end) {
      const reader = new Reader(bytes, site.start, site.end);
      while (reader.pos < site.end) {
        const offset = reader.pos;
        const op = reader.byte();
        const sub = skipImmediates(reader, op);
        const fixed = op === 0xfc ? miscCost[sub] : op === 0xfd ? simdCost[sub] : cost[op];
        if (offset !== site.last) add(offset, (fixed ?? 0) * runs);
      }
    }
    add(site.last, rest);
  }
  return spots;
}
