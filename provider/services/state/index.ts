export { StateError, type StateErrorCode } from './errors.ts';
export { STATE_LIMITS, type StateLimits } from './limits.ts';
export type { EndedMessage, Lane, Outbox, OutboxFigures, WaitingMessage } from './outbox.ts';
export { Replay } from './replay.ts';
export { openStates, type StatesInit } from './states.ts';
export type {
  AppliedTask,
  HistoryCommit,
  ServiceState,
  States,
  UpdatedAt,
  UpdateOptions,
  UpdateResult,
} from './types.ts';
