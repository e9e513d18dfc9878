export { StateError, type StateErrorCode } from './errors.ts';
export { STATE_LIMITS, type StateLimits } from './limits.ts';
export { Replay } from './replay.ts';
export { openStates, type StatesInit } from './states.ts';
export type { AppliedTask, HistoryCommit, ServiceState, States, UpdatedAt, UpdateResult } from './types.ts';
