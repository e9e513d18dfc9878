import { WorkswapError } from '../../sdk/protocol/index.ts';

/** What a maintainer asks for cannot be done as asked. */
export class MaintainerError extends WorkswapError {
  constructor(
    code:
      | 'SERVICE_UNPUBLISHED'
      | 'NO_COMMITS'
      | 'UNKNOWN_COMMIT'
      | 'ARCHIVE_INVALID'
      | 'NOTHING_ACCEPTED'
      | 'MAINTAINER_BUSY',
    message: string,
    cause?: unknown,
  ) {
    super(code, message, { fault: 'consumer', retryable: code === 'MAINTAINER_BUSY', cause });
  }
}
