import { RemoteError, WorkswapError } from '../../sdk/protocol/index.ts';

/** A mistake in how the command was called. */
export class UsageError extends WorkswapError {
  constructor(message: string) {
    super('USAGE', message, { fault: 'consumer' });
  }
}

/** 1 failed, 2 usage, 3 over credit, 4 the handler's fault, 5 no provider reachable. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof WorkswapError)) return 1;
  if (error.code === 'USAGE') return 2;
  if (error.code === 'OVER_CREDIT') return 3;
  if (error.code === 'PROVIDER_UNREACHABLE') return 5;
  return error.fault === 'handler' ? 4 : 1;
}

export interface ErrorJson {
  code: string;
  message: string;
  fault: string;
  retryable: boolean;
  overCredit?: {
    balance: number;
    limit: number;
    reserved: number;
    requestedBytes: number;
    waitMs?: number;
    wants: string[];
  };
}

export function errorJson(error: unknown): ErrorJson {
  if (!(error instanceof WorkswapError)) {
    return {
      code: 'INTERNAL',
      message: error instanceof Error ? error.message : String(error),
      fault: 'provider',
      retryable: false,
    };
  }
  const { code, message, fault, retryable } = error;
  const json: ErrorJson = { code, message, fault, retryable };
  if (error instanceof RemoteError && error.overCredit !== undefined) {
    json.overCredit = { ...error.overCredit, wants: error.overCredit.wants.map(String) };
  }
  return json;
}

/** One sentence on stderr; with --json also the document on stdout, so that a machine never has to parse prose. */
export function printError(error: unknown, json: boolean): void {
  if (json) console.log(JSON.stringify({ error: errorJson(error) }));
  const known = error instanceof WorkswapError;
  process.stderr.write(
    known
      ? `workswap: ${error.code}: ${error.message}\n`
      : `workswap: ${error instanceof Error ? error.stack : String(error)}\n`,
  );
  if (process.env['WORKSWAP_DEBUG'] !== undefined && known) process.stderr.write(`${error.stack}\n`);
}
