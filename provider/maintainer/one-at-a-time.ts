import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { tryLock, type Lock } from '../store/index.ts';
import { MaintainerError } from './errors.ts';

const FILE = 'maintainer.lock';
const WAIT_MS_MAX = 120_000;
const LOOK_EVERY_MS = 100;

/**
 * The turn of a command that changes services of this directory: each change follows from the one before it, so the next
 * command waits. It ends with `release` or with the process.
 * @param onWait is told once, with the process that has the turn
 * @throws MaintainerError MAINTAINER_BUSY
 */
export async function oneAtATime(
  dataDir: string,
  {
    signal,
    onWait,
    waitMsMax = WAIT_MS_MAX,
  }: { signal: AbortSignal; onWait?: (process: string) => void; waitMsMax?: number },
): Promise<Lock> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, FILE);
  const endMs = performance.now() + waitMsMax;
  let isTold = false;
  for (;;) {
    const lock = tryLock(path);
    if ('release' in lock) return lock;
    const other = lock.holder === undefined ? 'another process' : `process ${lock.holder}`;
    if (performance.now() >= endMs) {
      throw new MaintainerError(
        'MAINTAINER_BUSY',
        `The services of ${dataDir} are being changed by ${other} for ${waitMsMax / 1000} s already. Try again when it has ended, or end it.`,
      );
    }
    if (!isTold) onWait?.(other);
    isTold = true;
    await setTimeout(LOOK_EVERY_MS, undefined, { signal });
  }
}
