import { Session } from 'node:inspector/promises';
import type { Profiler } from 'node:inspector/promises';

/** Which stretches of the meter's code have run, as V8 counts them. */
export class Coverage {
  private readonly session = new Session();
  private readonly seen = new Set<string>();

  async start(): Promise<void> {
    this.session.connect();
    await this.session.post('Profiler.enable');
    await this.session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many stretches ran since the last time that never ran before. */
  async news(): Promise<number> {
    const { result } = (await this.session.post(
      'Profiler.takePreciseCoverage',
    )) as Profiler.TakePreciseCoverageReturnType;
    const before = this.seen.size;
    for (const { url, functions } of result) {
      if (!url.includes('/provider/metering/')) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) this.seen.add(`${url}:${startOffset}:${endOffset}`);
        }
      }
    }
    return this.seen.size - before;
  }

  async stop(): Promise<number> {
    await this.session.post('Profiler.stopPreciseCoverage');
    this.session.disconnect();
    return this.seen.size;
  }
}
