import { setTimeout } from 'node:timers/promises';

/** Waits, or until the signal says stop; never keeps the process alive. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { ref: false, signal }).catch(() => {});
}
