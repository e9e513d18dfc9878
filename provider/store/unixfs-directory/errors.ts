import { WorkswapError } from '../../../sdk/protocol/errors.ts';

export type DirectoryErrorCode =
  | 'DIRECTORY_MALFORMED'
  | 'DIRECTORY_TOO_DEEP'
  | 'DIRECTORY_TOO_LARGE'
  | 'FILE_TOO_LARGE'
  | 'INVALID_PATH'
  | 'STATE_CONFLICT';

/** A directory cannot be read as a state, or cannot be changed as asked. */
export class DirectoryError extends WorkswapError {
  constructor(code: DirectoryErrorCode, message: string) {
    super(code, message, { fault: code === 'DIRECTORY_MALFORMED' ? 'provider' : 'handler' });
  }
}

export function malformed(what: string, reason: string): DirectoryError {
  return new DirectoryError('DIRECTORY_MALFORMED', `${what} is not a node of a state: ${reason}`);
}
