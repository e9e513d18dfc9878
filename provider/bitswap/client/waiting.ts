type GiveUp = (reason: Error) => void;

/**
 * Who gives up with which signal. One listener for all of them: a signal looks through all its listeners whenever one
 * comes or goes, which for hundreds of blocks of one fetch was a tenth of its work.
 */
const givingUp = new WeakMap<AbortSignal, Set<GiveUp>>();

/** Calls `giveUp` when the signal says stop or, without a signal, after the deadline. Settles with `promise`. */
export async function untilGivenUp<T>(
  promise: Promise<T>,
  giveUp: GiveUp,
  signal: AbortSignal | undefined,
  deadline: { timeoutMs: number; error: () => Error },
): Promise<T> {
  if (signal === undefined) {
    const timer = setTimeout(() => giveUp(deadline.error()), deadline.timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }
  if (signal.aborted) giveUp(signal.reason as Error);
  const all = allWith(signal);
  all.add(giveUp);
  try {
    return await promise;
  } finally {
    all.delete(giveUp);
  }
}

function allWith(signal: AbortSignal): Set<GiveUp> {
  const known = givingUp.get(signal);
  if (known !== undefined) return known;
  const all = new Set<GiveUp>();
  givingUp.set(signal, all);
  // It goes with the signal. Nothing that it calls keeps the signal alive once nobody waits.
  signal.addEventListener('abort', () => {
    for (const giveUp of all) giveUp(signal.reason as Error);
  });
  return all;
}
