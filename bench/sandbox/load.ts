const LATENCY_JOBS = 700;
const DEEP_JOBS = 3000;
export const DEPTH = 64;

/** Microseconds of calls made one after the other. */
export async function latencies(call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < LATENCY_JOBS; i++) {
    const started = performance.now();
    await call();
    times.push((performance.now() - started) * 1000);
  }
  return times;
}

/** Calls per second with so many under way at any time. */
export async function rate(call: () => Promise<unknown>): Promise<number> {
  let begun = 0;
  const line = async (): Promise<void> => {
    while (begun < DEEP_JOBS) {
      begun += 1;
      await call();
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: DEPTH }, line));
  return (begun / (performance.now() - started)) * 1000;
}
