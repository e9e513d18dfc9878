import { WorkswapError } from '../../sdk/protocol/errors.ts';

export type MeterErrorCode = 'NOT_WASM' | 'INVALID_MODULE' | 'FEATURE_REFUSED' | 'MODULE_LIMIT' | 'RESERVED_EXPORT';

export interface MeterErrorDetails {
  /** Byte offset in the module, where one is known. */
  offset?: number | undefined;
  /** What is refused, by name: set with FEATURE_REFUSED. */
  feature?: string | undefined;
  /** The name of the limit in `MeterLimits`: set with MODULE_LIMIT. */
  limit?: string | undefined;
}

/** Why a module cannot be metered. Always the handler's fault: no provider of this meter version would take it. */
export class MeterError extends WorkswapError {
  readonly offset: number | undefined;
  readonly feature: string | undefined;
  readonly limit: string | undefined;

  constructor(code: MeterErrorCode, message: string, details: MeterErrorDetails = {}) {
    super(code, message, { fault: 'handler' });
    this.offset = details.offset;
    this.feature = details.feature;
    this.limit = details.limit;
  }
}

function at(offset: number | undefined): string {
  return offset === undefined ? '' : ` at byte ${offset}`;
}

export function invalidModule(what: string, offset?: number): MeterError {
  return new MeterError(
    'INVALID_MODULE',
    `The module is not valid WebAssembly: ${what}${at(offset)}. Rebuild it, or fetch it again.`,
    { offset },
  );
}

export function featureRefused(feature: string, offset?: number): MeterError {
  return new MeterError(
    'FEATURE_REFUSED',
    `The module uses ${feature}${at(offset)}, which handlers may not use. Build it without that feature.`,
    { feature, offset },
  );
}

export function moduleLimit(limit: string, value: number, max: number, offset?: number): MeterError {
  return new MeterError(
    'MODULE_LIMIT',
    `The module is over the limit ${limit}: ${value}${at(offset)}, at most ${max} allowed. Build it smaller.`,
    { limit, offset },
  );
}
