import type { CID } from 'multiformats/cid';
import { WorkswapError, type Fault } from '../../../sdk/protocol/errors.ts';

export type StateErrorCode =
  | 'ALREADY_APPLIED'
  | 'STATE_BUSY'
  | 'STATE_CLOSED'
  | 'UPDATE_UNDONE'
  | 'OUTBOX_FULL'
  | 'UNKNOWN_COMMIT'
  | 'IMPORT_REFUSED';

const FAULTS: Partial<Record<StateErrorCode, Fault>> = {
  ALREADY_APPLIED: 'consumer',
  UNKNOWN_COMMIT: 'consumer',
  IMPORT_REFUSED: 'consumer',
};
const RETRYABLE: readonly StateErrorCode[] = ['STATE_BUSY', 'STATE_CLOSED', 'UPDATE_UNDONE', 'OUTBOX_FULL'];

/** A service's state cannot be read or changed as asked. */
export class StateError extends WorkswapError {
  /** Of ALREADY_APPLIED: the commit that holds the task; undefined when it changed nothing. */
  readonly commit: CID | undefined;
  /** Of OUTBOX_FULL: how long the handler ran for nothing. */
  elapsedMs = 0;

  constructor(code: StateErrorCode, message: string, init: { commit?: CID | undefined; cause?: unknown } = {}) {
    super(code, message, {
      fault: FAULTS[code] ?? 'provider',
      retryable: RETRYABLE.includes(code),
      cause: init.cause,
    });
    this.commit = init.commit;
  }
}

export function alreadyApplied(task: CID, commit: CID | undefined): StateError {
  const where = commit === undefined ? 'and changed nothing' : `in the commit ${commit}`;
  return new StateError(
    'ALREADY_APPLIED',
    `The task ${task} was applied before, ${where}. Make a new task to repeat it.`,
    {
      commit,
    },
  );
}

export function closed(service: string): StateError {
  return new StateError('STATE_CLOSED', `The state of ${service} is closed. Ask again when the provider is back.`);
}

/** The same message came before, maybe by another task. */
export function alreadyDelivered(message: CID, commit: CID | undefined): StateError {
  const where = commit === undefined ? 'and changed nothing' : `in the commit ${commit}`;
  return new StateError('ALREADY_APPLIED', `The message ${message} was delivered before, ${where}.`, { commit });
}
