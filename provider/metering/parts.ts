/**
 * The meter's parts, for those who build another module by the same rules: the profiler. Whoever only wants a module
 * metered takes `index.ts`.
 */
export { copyWithReferences } from './added.ts';
export { CanonicalWriter } from './canonical-writer.ts';
export {
  bulkBytesPerUnit,
  cost,
  entryCost,
  localsPerUnit,
  memoryPageCost,
  miscCost,
  simdCost,
  tableEntryCost,
} from './costs.ts';
export { Event } from './events.ts';
export type { Events, FunctionFacts } from './events.ts';
export { skipImmediates } from './immediates.ts';
export { externalKinds } from './module.ts';
export type { Body, FunctionReference, FunctionType, Module } from './module.ts';
export { NanFinder } from './nan.ts';
export type { CanonicalPlace } from './nan.ts';
export { Misc } from './opcodes.ts';
export { parseModule } from './parse.ts';
export { makePlan } from './plan.ts';
export { Reader } from './reader.ts';
export { Scanner } from './scan.ts';
export { Op } from './wasm.ts';
export { Writer } from './writer.ts';
