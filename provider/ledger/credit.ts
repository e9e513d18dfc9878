import type { CreditPolicy, Terms } from './policy.ts';

/** The figures that credit is computed from. */
export interface Totals {
  blocksSent: number;
  blocksRecv: number;
  workSent: number;
  workRecv: number;
  ghost: number;
  forgiven: number;
}

export function sentOf(totals: Totals): number {
  return totals.blocksSent + totals.workSent;
}

export function recvOf(totals: Totals): number {
  return totals.blocksRecv + totals.workRecv;
}

/** What the peer owes us: sent - recv - forgiven + ghost. Negative: we owe the peer. */
export function balanceOf(totals: Totals): number {
  return sentOf(totals) - recvOf(totals) - totals.forgiven + totals.ghost;
}

/** The part of a growing limit that the peer has earned by what it gave us. */
export function earnedCredit(policy: CreditPolicy, recv: number): number {
  const cap = policy.limitBytesMax - policy.newcomerLineBytes;
  const percent = policy.growthPercent;
  // In two parts, so that no product passes 2^53.
  return Math.min(cap, Math.floor(recv / 100) * percent + Math.floor(((recv % 100) * percent) / 100));
}

/** The most the peer may owe us, reservations included. */
export function limitOf(policy: CreditPolicy, terms: Terms, recv: number): number {
  return terms.limitFixed ?? policy.newcomerLineBytes + earnedCredit(policy, recv);
}

/**
 * The part of a stranger's debt that lies above what it earned: this part counts against the shared pool. Earned credit
 * is used first, so a peer that pays is not hurt when strangers empty the pool.
 */
export function unearnedDebt(policy: CreditPolicy, totals: Totals, reserved: number): number {
  return Math.max(0, balanceOf(totals) + reserved - earnedCredit(policy, recvOf(totals)));
}

/** What time brings: `gain` bytes for `usedMs` of the elapsed time. The rest of it stays for the next call. */
export interface Gain {
  gain: number;
  usedMs: number;
}

/** Rounded down in bytes and up in milliseconds: asking often never brings more than asking once. */
export function gainOf(elapsedMs: number, bytesPerSecond: number, wanted: number): Gain {
  if (elapsedMs <= 0 || wanted <= 0) return { gain: 0, usedMs: Math.max(0, elapsedMs) };
  if (bytesPerSecond === 0) return { gain: 0, usedMs: elapsedMs };
  if (elapsedMs >= waitMsFor(wanted, bytesPerSecond)) return { gain: wanted, usedMs: elapsedMs };
  // In two parts, so that no product passes 2^53.
  const gain = Math.floor(elapsedMs / 1000) * bytesPerSecond + Math.floor(((elapsedMs % 1000) * bytesPerSecond) / 1000);
  return { gain, usedMs: gain === 0 ? 0 : Math.min(elapsedMs, waitMsFor(gain, bytesPerSecond)) };
}

/** How long `bytes` take at this rate (above 0), rounded up. */
export function waitMsFor(bytes: number, bytesPerSecond: number): number {
  const seconds = Math.floor(bytes / bytesPerSecond);
  return seconds * 1000 + Math.ceil(((bytes - seconds * bytesPerSecond) * 1000) / bytesPerSecond);
}
