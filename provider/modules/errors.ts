import { WorkswapError, type WorkswapErrorInit } from '../../sdk/protocol/errors.ts';

/**
 * A handler that cannot be had or cannot be run. Codes: HANDLER_NOT_FOUND, UNSUPPORTED_CID, MODULE_TOO_LARGE,
 * MODULE_TOO_SLOW, COMPILE_FAILED, MEMORY_LIMIT, NOT_A_FILE, and those of the metering and the host ABI (NOT_WASM, INVALID_MODULE, FEATURE_REFUSED,
 * MODULE_LIMIT, RESERVED_EXPORT, FORBIDDEN_IMPORT, MISSING_EXPORT), with their error as `cause`.
 */
export class ModuleError extends WorkswapError {
  readonly cid: string;
  /** Bytes of module that were looked at for this caller: what an attempt to load it owes for. 0 for everybody else. */
  readonly sizeBytes: number;

  constructor(code: string, message: string, init: WorkswapErrorInit & { cid: string; sizeBytes?: number }) {
    super(code, message, init);
    this.cid = init.cid;
    this.sizeBytes = init.sizeBytes ?? 0;
  }

  /** The same error for another caller: an error is not shared, since its fields differ and its stack would too. */
  copy(sizeBytes: number): ModuleError {
    const { code, message, fault, retryable, cid, cause } = this;
    return new ModuleError(code, message, { fault, retryable, cid, cause, sizeBytes });
  }
}
