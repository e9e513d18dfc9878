import type { Limit } from '../sandbox/index.ts';

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;

/** Limits of the module loader: the table `[modules]` of the config has the same names. */
export const MODULE_LIMITS = {
  /** Size of one module; the meter takes no larger ones. */
  moduleBytesMax: { default: 8 * MIB, min: 1, max: 16 * MIB, code: 'MODULE_TOO_LARGE' },
  /** Compiled modules that are kept, by what they are estimated to take. */
  cacheBytesMax: { default: 256 * MIB, min: 0, max: 1024 * 1024 * MIB },
  /** How long the blocks of one module may take. */
  fetchTimeoutMs: { default: 10_000, min: 1, max: DAY_MS, code: 'HANDLER_NOT_FOUND' },
  /** How long metering and compiling one module may take. */
  compileTimeoutMs: { default: 10_000, min: 1, max: DAY_MS, code: 'MODULE_TOO_SLOW' },
} as const satisfies Record<string, Limit>;
