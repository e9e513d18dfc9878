import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import type { Tariff } from '../../sdk/protocol/index.ts';
import type { ScoreLedger } from '../ledger/index.ts';
import type { ModuleLoader } from '../modules/index.ts';
import type { Sandbox } from '../sandbox/index.ts';
import type { Activity } from './activity.ts';
import type { ServiceState } from '../services/state/index.ts';

/** Limits of the job protocol's server. Each refusal names the one it ran into. */
export interface JobsLimits {
  memoryPagesMax: number;
  outputBytesMax: number;
  timeoutMsMax: number;
  /** Streams one consumer may have open. */
  streamsPerConsumerMax: number;
  /** Jobs under way on one stream; the wire allows 1024. */
  jobsPerStreamMax: number;
  /** Output that the jobs of one stream may hold until it is sent, by what they may produce at most. */
  outputBytesPerStreamMax: number;
  /** The same for all streams together. */
  outputBytesTotalMax: number;
  /** How long a consumer may take to accept the output of a job. */
  deliveryTimeoutMs: number;
  /** How long running jobs may go on after a stop was asked for. */
  stopTimeoutMs: number;
  /** Fuel that a worker burns in one millisecond, for pricing a job whose worker was stopped before it could say. */
  fuelPerMs: number;
}

export const JOBS_LIMITS: JobsLimits = {
  memoryPagesMax: 1024,
  outputBytesMax: 16 * 1024 * 1024,
  timeoutMsMax: 60_000,
  streamsPerConsumerMax: 4,
  jobsPerStreamMax: 1024,
  outputBytesPerStreamMax: 32 * 1024 * 1024,
  outputBytesTotalMax: 512 * 1024 * 1024,
  deliveryTimeoutMs: 60_000,
  stopTimeoutMs: 10_000,
  fuelPerMs: 10_000_000,
};

/** An update's time may differ this much from our clock: as long as its task is remembered, it is applied once. */
export const UPDATE_AGE_MS_MAX = 5 * 60_000;

/** What a job of a service needs to know of it. */
export interface JobService {
  name: string;
  handler: CID;
  state: ServiceState;
  /** Who pays `priceMaxBytes` for this visitor instead of the visitor; undefined when the visitor pays. */
  sponsorOf(visitor: PeerId, priceMaxBytes: number): PeerId | undefined;
  /** What the sponsor paid in the end. */
  sponsored(visitor: PeerId, priceBytes: number): void;
}

export interface JobsComponents {
  libp2p: Libp2p;
  privateKey: PrivateKey;
  scoreLedger: ScoreLedger;
  modules: ModuleLoader;
  sandbox: Sandbox;
  /** Where jobs are shown while they run, and counted when they end. */
  activity: Activity;
  /** The tariff in force. */
  tariff(): Tariff;
  /** A service that this provider hosts and that is valid now. @throws WorkswapError when there is none */
  service(name: string): JobService;
  /** Whether a peer may send messages in a service's name. @throws WorkswapError SENDER_UNPROVEN when not; OverCreditError */
  speaksFor(service: string, peer: PeerId, signal: AbortSignal): Promise<void>;
  /** CIDs that this provider wants now: what an indebted consumer can pay with. */
  wants(): CID[];
}

export interface JobsStats {
  streams: number;
  running: number;
  finished: number;
  failed: number;
  refused: number;
  cancelled: number;
}
