/**
 * Where a handler burns its caller's money: fuel by function, line and chain of calls, as text and as a flame graph. It runs
 * an instrumented form of the module beside the metered one, never on the way of a job.
 */
export { flameGraph } from './flame-graph.ts';
export { ProfileTooLargeError } from './instrument.ts';
export { ProfileFilesError, withFiles } from './files.ts';
export { profile } from './profile.ts';
export type { FlameNode, FunctionFuel, LineFuel, Profile } from './profile.ts';
export { reportOf } from './report.ts';
export { SourceMap, SourceMapError } from './source-map.ts';
