import { REQUEST_BODY_BYTES_MAX } from '../../sdk/protocol/constants.ts';
import type { Limit } from '../sandbox/limits.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const HOUR_MS = 3_600_000;

/** The numbers of the table `[gateway]` of the config. docs/gateway.md has what happens beyond each. */
export const GATEWAY_LIMITS = {
  headerBytesMax: { default: 16 * KIB, min: 1 * KIB, max: 64 * KIB },
  headersTimeoutMs: { default: 10_000, min: 100, max: HOUR_MS },
  requestTimeoutMs: { default: 30_000, min: 100, max: HOUR_MS },
  idleTimeoutMs: { default: 60_000, min: 100, max: HOUR_MS },
  deadlineMs: { default: 600_000, min: 100, max: 24 * HOUR_MS },
  connectionsMax: { default: 2048, min: 1, max: 1_000_000 },
  connectionsPerClientMax: { default: 256, min: 1, max: 1_000_000 },
  requestsMax: { default: 1024, min: 1, max: 1_000_000 },
  requestsPerClientMax: { default: 64, min: 1, max: 1_000_000 },
  /** Of one client address, IPv6 by its /64. */
  requestsPerSecond: { default: 200, min: 1, max: 1_000_000 },
  requestsBurst: { default: 400, min: 1, max: 1_000_000 },
  bodyBytesMax: { default: REQUEST_BODY_BYTES_MAX, min: 0, max: REQUEST_BODY_BYTES_MAX },
  /** Time for a service's answer to begin. */
  serviceTimeoutMs: { default: 30_000, min: 100, max: HOUR_MS },
  /** Time for one block. */
  blockTimeoutMs: { default: 30_000, min: 100, max: HOUR_MS },
  /** Of one CAR, each block as often as it is sent. */
  carBlocksMax: { default: 1 << 20, min: 1, max: 1 << 30 },
  carBytesMax: { default: 16 * GIB, min: 0, max: 1024 * GIB },
  /** Work that one visitor may have open, what time forgives of it, and the same for all visitors together. */
  visitorLineBytes: { default: 64 * MIB, min: 0, max: 1024 * GIB },
  visitorRefreshBytesPerSecond: { default: 512 * KIB, min: 0, max: 1024 * GIB },
  visitorPoolBytes: { default: GIB, min: 0, max: 1024 * GIB },
  visitorPoolRefreshBytesPerSecond: { default: 16 * MIB, min: 0, max: 1024 * GIB },
} as const satisfies Record<string, Limit>;

export type GatewayLimits = { [name in keyof typeof GATEWAY_LIMITS]: number };

/** Visitors that are remembered; whoever came longest ago is forgotten first. The pool holds what they owed. */
export const VISITORS_MAX = 65_536;
/** Bytes of a service's answer that are held until the receipt is there, so that its headers can say what it cost. */
export const HELD_BYTES_MAX = 256 * KIB;
/** Of a handler's answer: all headers together. */
export const RESPONSE_HEADER_BYTES_MAX = 32 * KIB;
/** Below, compression saves nothing. */
export const COMPRESS_BYTES_MIN = 1024;
/** Paths of sites and hosts that are remembered. */
export const SITE_PATHS_MAX = 4096;
export const HOSTS_MAX = 1024;
