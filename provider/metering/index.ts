/**
 * The meter: WebAssembly bytes in, metered bytes out. No I/O, no dependency, runs in browsers too. The rules are told in
 * docs/metering.md.
 */
export { MeterError } from './errors.ts';
export type { MeterErrorCode } from './errors.ts';
export { defaultLimits, memoryPagesMaxDefault } from './limits.ts';
export type { MeterLimits } from './limits.ts';
export { meter } from './meter.ts';
export type { MeterOptions, MeteredExport, MeteredImport, MeteredModule } from './meter.ts';
export { stackBytesMax } from './plan.ts';
export { meterVersion } from './version.ts';
