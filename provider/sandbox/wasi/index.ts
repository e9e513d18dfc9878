/**
 * @packageDocumentation
 *
 * WASI preview 1 command modules as handlers, in the CGI convention of WAGI: `docs/handlers.md` has the mapping.
 */
export { WASI_LIMITS, WASI_PRICES } from './constants.ts';
export { createWasiImports } from './imports.ts';
export { Process, ProcessExit } from './process.ts';
export { WASI_MODULE, WASI_SIGNATURES, type WasiCall } from './signatures.ts';
