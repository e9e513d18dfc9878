import { Maintainer, oneAtATime, type MaintainerInit } from '../maintainer/index.ts';
import { interruptSignal } from './session.ts';

/** Runs a command that changes services, when those before it have ended. */
export async function withMaintainerAlone(
  init: MaintainerInit,
  work: (maintainer: Maintainer, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const signal = interruptSignal();
  const onWait = (other: string): void =>
    void process.stderr.write(`workswap: waiting for ${other}, which changes services of ${init.dataDir}\n`);
  const turn = await oneAtATime(init.dataDir, { signal, onWait });
  try {
    await runWith(init, signal, work);
  } finally {
    turn.release();
  }
}

/** Runs one command with a maintainer's node, which ends with it. */
export async function withMaintainer(
  init: MaintainerInit,
  work: (maintainer: Maintainer, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await runWith(init, interruptSignal(), work);
}

async function runWith(
  init: MaintainerInit,
  signal: AbortSignal,
  work: (maintainer: Maintainer, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const maintainer = await Maintainer.open(init);
  try {
    await work(maintainer, signal);
  } finally {
    await maintainer.close();
  }
}
