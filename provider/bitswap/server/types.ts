import type { Logger, PeerId } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import type { ScoreLedger } from '../../ledger/types.ts';
import type { LocalBlocks } from '../blocks.ts';
import type { BitswapLimits } from '../constants.ts';
import type { SendBudget } from './budget.ts';

/** A want as `taskComparator` and `peerBlockRequestFilter` see it. */
export interface Task {
  peer: PeerId;
  cid: CID;
  priority: number;
  wantHave: boolean;
  /** Bytes of the block, or undefined while it is not known. */
  size: number | undefined;
}

/** Says that `a` is to be served before `b`; both ways false means in order of arrival. */
export type TaskComparator = (a: Task, b: Task) => boolean;

/** Says whether a peer may have a block; what it may not have is answered like a missing block. */
export type PeerBlockRequestFilter = (peer: PeerId, cid: CID) => boolean;

/** What all peers' servers share. */
export interface ServerContext {
  ledger: ScoreLedger;
  blocks: LocalBlocks;
  limits: BitswapLimits;
  budget: SendBudget<Task>;
  filter: PeerBlockRequestFilter | undefined;
  /** Order of the wants of one peer. */
  before: TaskComparator;
  onSent: (blocks: number, bytes: number) => void;
  log: Logger | undefined;
}

/** The default order within one peer. Priorities of different peers mean nothing to each other. */
export function byPriority(a: Task, b: Task): boolean {
  return a.priority > b.priority;
}
