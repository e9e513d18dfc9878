/**
 * What a module may be before it is even looked at closely: compile bombs are stopped here, by counting, before the
 * engine sees them. The values are part of the meter version, because a receipt must verify on every provider.
 */
export interface MeterLimits {
  moduleBytesMax: number;
  typesMax: number;
  /** Parameters, and as many results, of one function type or block. */
  arityMax: number;
  importsMax: number;
  exportsMax: number;
  nameBytesMax: number;
  functionsMax: number;
  bodyBytesMax: number;
  /** After metering. Engines on the web take no larger function: see "Implementation-defined Limits" of its JavaScript API. */
  meteredBodyBytesMax: number;
  /** Code of all functions after metering. */
  meteredCodeBytesMax: number;
  localsPerFunctionMax: number;
  /** Over all functions: engines allocate a type for each local of each function that they validate. */
  localsTotalMax: number;
  nestingMax: number;
  branchTargetsMax: number;
  globalsMax: number;
  tablesMax: number;
  /** Entries of one table; tables are clamped to it, and a larger minimum is refused. */
  tableEntriesMax: number;
  /** Segments, of either kind. Go leaves out zeros and so has about 12 segments for each KB of data: 30,000 in a small program. */
  segmentsMax: number;
  dataBytesMax: number;
  /** Most operands that one function may hold at a time; they become its stack frame. */
  operandsMax: number;
}

export const defaultLimits: Readonly<MeterLimits> = Object.freeze({
  moduleBytesMax: 16 * 1024 * 1024,
  typesMax: 10_000,
  arityMax: 128,
  importsMax: 1_000,
  exportsMax: 10_000,
  nameBytesMax: 1_024,
  functionsMax: 50_000,
  bodyBytesMax: 1024 * 1024,
  meteredBodyBytesMax: 7_654_321,
  meteredCodeBytesMax: 64 * 1024 * 1024,
  localsPerFunctionMax: 10_000,
  localsTotalMax: 2_000_000,
  nestingMax: 1_000,
  branchTargetsMax: 10_000,
  globalsMax: 10_000,
  tablesMax: 16,
  tableEntriesMax: 65_536,
  segmentsMax: 65_536,
  dataBytesMax: 16 * 1024 * 1024,
  operandsMax: 10_000,
});

/** Pages of 64 KiB: the static cap on every memory, 64 MiB. */
export const memoryPagesMaxDefault = 1_024;
