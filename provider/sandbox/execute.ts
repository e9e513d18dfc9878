import { Engine } from './engine/engine.ts';
import type { Host } from './engine/host.ts';
import { createNodeHost } from './node-host.ts';
import type { JobSpec, Outcome } from './types.ts';

/**
 * Runs one job in this thread, in a new instance: what `verify` and the command line's `run` do, with the engine that
 * the workers use. Nothing but fuel stops the handler here. Throws a `SandboxError` when a block is unavailable.
 */
export function execute(job: JobSpec, host: Host = createNodeHost()): Outcome {
  return new Engine(host).run(job);
}
