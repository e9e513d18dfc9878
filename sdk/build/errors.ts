import { WorkswapError } from '../protocol/errors.ts';

/** One thing the compiler said, with where it said it. `line` and `column` count from 1. */
export interface Diagnostic {
  severity: 'error' | 'warning' | 'info';
  /** `TS2322`, `AS102`: the compiler's own number, or the name of one of our checks. */
  code: string;
  message: string;
  /** Absolute path, or `workswap/NAME.ts` for a file of the SDK. */
  file?: string;
  line?: number;
  column?: number;
}

/** The handler cannot be built. The message is what its author reads: every problem with its file and line. */
export class BuildError extends WorkswapError {
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];

  constructor(file: string, message: string, diagnostics: readonly Diagnostic[], cause?: unknown) {
    super('BUILD_FAILED', message, { fault: 'handler', cause });
    this.file = file;
    this.diagnostics = diagnostics;
  }
}
