/**
 * @packageDocumentation
 *
 * Pins: DAGs that this node fetches and keeps, for itself and for others. docs/pinning.md
 */
export { checkCid } from './check.ts';
export type { Collection } from './collector.ts';
export type { Verification } from './verifier.ts';
export { PinError, type PinErrorCode } from './errors.ts';
export {
  askAboutPins,
  PINNING_EXCHANGE,
  PinningServer,
  type AnswerTo,
  type PinView,
  type Question,
} from './net/index.ts';
export { PINNING_LIMITS, type PinningLimits } from './limits.ts';
export { addPinOffline, openPinning, type OpenedPinning } from './open.ts';
export type { Pinning, PinPolicy } from './pinning.ts';
export type { TokenInfo, Tokens } from './tokens.ts';
export {
  PIN_STATUSES,
  type NameMatch,
  type Pin,
  type PinFilter,
  type PinPage,
  type PinRequest,
  type PinStatus,
} from './types.ts';
