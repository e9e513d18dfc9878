/** Calls `giveUp` when the signal says stop or, without a signal, after the deadline. Settles with `promise`. */
export async function untilGivenUp<T>(
  promise: Promise<T>,
  giveUp: (reason: Error) => void,
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
  const onAbort = (): void => giveUp(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
