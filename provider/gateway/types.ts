import type { CID } from 'multiformats/cid';
import type { Pinning } from '../pinning/index.ts';
import type { ServiceRunner } from '../services/index.ts';
import type { GetBlock } from '../store/index.ts';
import type { GatewayLimits } from './limits.ts';

/** What an IPNS name stands for, checked. */
export interface ResolvedIpns {
  /** A content path: `/ipfs/CID/path` or another name. */
  value: string;
  ttlMs: number;
  expiresMs: number;
  /** The signed record. */
  record: Uint8Array;
}

export interface GatewayConfig extends Partial<GatewayLimits> {
  /** HOST:PORT; port 0 takes any that is free. */
  listen: string;
  /** Domains besides `localhost` under which sites have hosts of their own. */
  domains?: string[];
  /** Sends `/ipfs/CID` and `/ipns/NAME` of a domain to a host of their own. */
  subdomains?: boolean;
  /** Believes X-Forwarded-For, -Proto and -Host of a proxy on this machine. */
  trustProxy?: boolean;
  /** The service at the root of the main host; without it there is a page that says what is where. */
  service?: string;
  /** Tells whoever asks why a handler failed: for authors on their own machine. */
  showFailures?: boolean;
}

export interface GatewayInit {
  config: GatewayConfig;
  getBlock: GetBlock;
  /** Whether a block is here, for `Cache-Control: only-if-cached`. */
  hasBlock: (cid: CID) => Promise<boolean>;
  /** Runs services; without it there are none. */
  runner?: ServiceRunner;
  /** By the name's text in base 36; without it keys are no names here. */
  resolveIpns?: (name: string, signal: AbortSignal) => Promise<ResolvedIpns>;
  /** Content paths of a host name, of which the first that is one counts; without it there is no DNSLink. */
  resolveDnsLink?: (host: string) => Promise<readonly string[]>;
  /** Serves the Pinning Service API on the main host; without it there is none. */
  pinning?: Pinning;
  /** Where errors go that no visitor can be blamed for. */
  onError?: (error: unknown) => void;
}

export interface GatewayStats {
  connections: number;
  requestsUnderWay: number;
  requestsAnswered: number;
  visitors: number;
  /** Work that all visitors have open together. */
  visitorsOwedBytes: number;
  /** Refusals by code since the start. */
  refused: Record<string, number>;
}
