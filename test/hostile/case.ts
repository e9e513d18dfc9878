import { handlerWat, parseWat, type HandlerParts, type JobParts } from '../../provider/sandbox/testing/modules.ts';

/** One thing a stranger may try, and the one end it must have. */
export interface HostileCase {
  name: string;
  /** The module's bytes; made when the case runs, since some are large. */
  bytes(): Uint8Array;
  job?: JobParts;
  /** It runs at the state of a service; undefined without one. */
  state?: 'query' | 'update' | undefined;
  /** The documented codes of which one must come; undefined when the attempt is harmless and the job succeeds. */
  ends: string | readonly string[] | undefined;
}

/** A case around a few instructions of a handler. */
export function attempt(name: string, parts: HandlerParts, ends: HostileCase['ends'], job?: JobParts): HostileCase {
  return { name, bytes: () => parseWat(handlerWat(parts)), ends, ...(job && { job }) };
}

/** A case around the text of a whole module. */
export function module(
  name: string,
  wat: string | (() => string),
  ends: HostileCase['ends'],
  job?: JobParts,
): HostileCase {
  return {
    name,
    bytes: () => parseWat(typeof wat === 'string' ? wat : wat()),
    ends,
    ...(job && { job }),
  };
}

/** A case around bytes that need not be a module. */
export function binary(name: string, bytes: () => Uint8Array, ends: HostileCase['ends'], job?: JobParts): HostileCase {
  return { name, bytes, ends, ...(job && { job }) };
}

/** Fuel that nobody burns before the deadline. */
export const ENDLESS: JobParts = { limits: { fuelMax: Number.MAX_SAFE_INTEGER, timeoutMs: 50 } };
/** Fuel that is burnt in some milliseconds. */
export const SHORT: JobParts = { limits: { fuelMax: 3_000_000, timeoutMs: 20_000 } };
