import { WorkswapError } from '../../sdk/protocol/index.ts';

/** Something about a project's own files that its author has to change. */
export class ProjectError extends WorkswapError {
  /** The file or directory that is wrong. */
  readonly path: string;

  constructor(path: string, message: string, cause?: unknown) {
    super('INVALID_PROJECT', message, { fault: 'handler', cause });
    this.path = path;
  }
}
