import type { CallName } from './prices.ts';

/** The one import module a handler may use. */
export const IMPORT_MODULE = 'workswap';

export interface Signature {
  params: readonly string[];
  results: readonly string[];
}

/** The types of all host calls. A module that imports one under another type is refused: it could only ever fail. */
export const CALL_SIGNATURES: ReadonlyMap<string, Signature> = new Map<CallName, Signature>([
  ['input_size', { params: [], results: ['i32'] }],
  ['input_read', { params: ['i32', 'i32', 'i32'], results: ['i32'] }],
  ['output_write', { params: ['i32', 'i32'], results: [] }],
  ['block_read', { params: ['i32', 'i32', 'i64', 'i32', 'i32'], results: ['i32'] }],
  ['block_size', { params: ['i32', 'i32'], results: ['i64'] }],
  ['log', { params: ['i32', 'i32', 'i32'], results: [] }],
  ['fail', { params: ['i32', 'i32'], results: [] }],
  ['time_ms', { params: [], results: ['i64'] }],
  ['random', { params: ['i32', 'i32'], results: [] }],
  ['sha256', { params: ['i32', 'i32', 'i32'], results: [] }],
  ['ed25519_verify', { params: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] }],
  ['state_stat', { params: ['i32', 'i32'], results: ['i64'] }],
  ['state_read', { params: ['i32', 'i32', 'i64', 'i32', 'i32'], results: ['i32'] }],
  ['state_write', { params: ['i32', 'i32', 'i32', 'i32'], results: [] }],
  ['state_remove', { params: ['i32', 'i32'], results: ['i32'] }],
  ['send', { params: ['i32', 'i32', 'i32', 'i32'], results: [] }],
  ['state_list', { params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], results: ['i32'] }],
]);
