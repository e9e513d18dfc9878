import { TOTAL_BYTES_MAX } from './amounts.ts';
import { LedgerError } from './errors.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** What the operator decides for one peer instead of the general rules. */
export type PeerOverride =
  | 'blocked'
  | 'unlimited'
  | {
      /** Fixed limit; the peer is then no stranger and does not draw on the shared pool. */
      limitBytes?: number;
      refreshBytesPerSecond?: number;
    };

/** Who may owe how much. All amounts are whole bytes. */
export interface CreditPolicy {
  /** The line of a peer that never gave us anything. */
  newcomerLineBytes: number;
  /** Debt that time forgives, for each peer. */
  refreshBytesPerSecond: number;
  /** How much the limit grows for every 100 bytes that the peer gave us. */
  growthPercent: number;
  /** Growth ends here. Also the limit of the peers in `allow`. */
  limitBytesMax: number;
  /** The most that all strangers together may draw without having paid for it, since peer ids are free. */
  strangerPoolBytes: number;
  /** How fast the pool recovers: the long-term rate of everything that is given away. */
  strangerPoolRefreshBytesPerSecond: number;
  /** From this share of its limit on, a peer waits behind others when there is contention. */
  softZonePercent: number;
  /** Peers (friends, own devices) that have `limitBytesMax` from the start and do not draw on the pool. */
  allow: readonly string[];
  /** By peer id; stronger than `allow`. */
  overrides: Readonly<Record<string, PeerOverride>>;
  /** The most downtime that counts as time for refresh, whatever the wall clock says after a restart. */
  downtimeMsMax: number;
}

export const defaultPolicy: CreditPolicy = {
  newcomerLineBytes: 64 * MIB,
  refreshBytesPerSecond: MIB,
  growthPercent: 25,
  limitBytesMax: 16 * GIB,
  strangerPoolBytes: GIB,
  strangerPoolRefreshBytesPerSecond: 8 * MIB,
  softZonePercent: 50,
  allow: [],
  overrides: {},
  downtimeMsMax: 3_600_000,
};

const POLICY_BYTES_MAX = 2 ** 44;
/** With more than 1 TiB/s, elapsed time times rate would no longer be exact. */
const RATE_MAX = 2 ** 40;

/**
 * The defaults with the given changes.
 * @throws LedgerError INVALID_POLICY naming the field.
 */
export function makePolicy(changes: Partial<CreditPolicy> = {}): CreditPolicy {
  for (const name of Object.keys(changes)) {
    if (!Object.hasOwn(defaultPolicy, name))
      throw invalid(name, `is unknown; there are ${Object.keys(defaultPolicy).join(', ')}`);
  }
  const policy = { ...defaultPolicy, ...changes };
  checkRange('newcomerLineBytes', policy.newcomerLineBytes, POLICY_BYTES_MAX);
  checkRange('refreshBytesPerSecond', policy.refreshBytesPerSecond, RATE_MAX);
  checkRange('growthPercent', policy.growthPercent, 100);
  checkRange('limitBytesMax', policy.limitBytesMax, POLICY_BYTES_MAX);
  checkRange('strangerPoolBytes', policy.strangerPoolBytes, POLICY_BYTES_MAX);
  checkRange('strangerPoolRefreshBytesPerSecond', policy.strangerPoolRefreshBytesPerSecond, RATE_MAX);
  checkRange('softZonePercent', policy.softZonePercent, 100);
  checkRange('downtimeMsMax', policy.downtimeMsMax, 366 * 86_400_000);
  if (policy.newcomerLineBytes > policy.limitBytesMax)
    throw invalid('newcomerLineBytes', 'must not be over limitBytesMax');
  if (!Array.isArray(policy.allow) || policy.allow.some((peer) => typeof peer !== 'string')) {
    throw invalid('allow', 'must be a list of peer ids');
  }
  for (const [peer, override] of Object.entries(policy.overrides)) checkOverride(peer, override);
  return policy;
}

/** @throws LedgerError INVALID_POLICY naming the field */
export function checkOverride(peer: string, override: unknown): void {
  if (override === 'blocked' || override === 'unlimited') return;
  const name = `overrides.${peer}`;
  if (typeof override !== 'object' || override === null)
    throw invalid(name, 'must be "blocked", "unlimited" or a table');
  for (const [field, value] of Object.entries(override)) {
    if (field === 'limitBytes') checkRange(`${name}.limitBytes`, value, TOTAL_BYTES_MAX);
    else if (field === 'refreshBytesPerSecond') checkRange(`${name}.refreshBytesPerSecond`, value, RATE_MAX);
    else throw invalid(`${name}.${field}`, 'is unknown; there are limitBytes, refreshBytesPerSecond');
  }
}

function checkRange(name: string, value: unknown, max: number): void {
  if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max) return;
  throw invalid(name, `must be a whole number from 0 to ${max}, not ${String(value)}`);
}

function invalid(name: string, why: string): LedgerError {
  return new LedgerError('INVALID_POLICY', `Credit policy: ${name} ${why}.`);
}

/** The rules that hold for one peer. */
export interface Terms {
  blocked: boolean;
  /** Strangers draw on the shared pool. */
  stranger: boolean;
  /** Undefined: the limit grows with what the peer gives. */
  limitFixed: number | undefined;
  refreshBytesPerSecond: number;
}

/** The rules for each peer; the answers are shared objects. */
export class PeerTerms {
  readonly #policy: CreditPolicy;
  readonly #stranger: Terms;
  readonly #friend: Terms;
  readonly #known = new Map<string, Terms>();

  constructor(policy: CreditPolicy) {
    const { refreshBytesPerSecond } = policy;
    this.#policy = policy;
    this.#stranger = { blocked: false, stranger: true, limitFixed: undefined, refreshBytesPerSecond };
    this.#friend = { blocked: false, stranger: false, limitFixed: policy.limitBytesMax, refreshBytesPerSecond };
    for (const peer of policy.allow) this.#known.set(peer, this.#friend);
    for (const [peer, override] of Object.entries(policy.overrides)) this.set(peer, override);
  }

  of(peer: string): Terms {
    return this.#known.get(peer) ?? this.#stranger;
  }

  /** Replaces what was decided for this peer; undefined goes back to the general rules. */
  set(peer: string, override: PeerOverride | undefined): Terms {
    const base = this.#policy.allow.includes(peer) ? this.#friend : this.#stranger;
    const terms = termsOf(override, base, this.#stranger, this.#friend);
    if (terms === this.#stranger) this.#known.delete(peer);
    else this.#known.set(peer, terms);
    return terms;
  }
}

function termsOf(override: PeerOverride | undefined, base: Terms, stranger: Terms, friend: Terms): Terms {
  if (override === undefined) return base;
  if (override === 'blocked') return { ...stranger, blocked: true, limitFixed: 0 };
  if (override === 'unlimited') return { ...friend, limitFixed: TOTAL_BYTES_MAX };
  const limitFixed = override.limitBytes ?? base.limitFixed;
  return {
    blocked: false,
    stranger: limitFixed === undefined,
    limitFixed,
    refreshBytesPerSecond: override.refreshBytesPerSecond ?? base.refreshBytesPerSecond,
  };
}
