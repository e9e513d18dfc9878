/**
 * @packageDocumentation
 *
 * `workswap dev`: a project at localhost, built and reloaded on every save, in the sandbox that providers use.
 */
export { startDev, type Dev, type DevEvents, type DevOptions } from './dev.ts';
export type { RequestRecord } from './records.ts';
