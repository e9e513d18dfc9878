import { Engine } from './engine/engine.ts';
import type { Host } from './engine/host.ts';
import type { StateReader } from './engine/job-state.ts';
import { createNodeHost } from './node-host.ts';
import type { JobSpec, Outcome, StateView } from './types.ts';

const never = new AbortController().signal;

/**
 * Runs one job in this thread, in a new instance: what `verify` and the command line's `run` do, with the engine that
 * the workers use. Nothing but fuel stops the handler here. Its state must answer at once. Throws a `SandboxError` when a
 * block is unavailable.
 */
export function execute(job: JobSpec, host: Host = createNodeHost()): Outcome {
  const state = job.state === undefined ? {} : { state: atOnce(job.state.view) };
  return new Engine({ ...host, ...state }).run(job);
}

function atOnce(view: StateView): StateReader {
  return {
    stat: (path) => here(view.stat(path, never)),
    read: (path, offset, length) => here(view.read(path, offset, length, never)),
    list: (path, after, limit) => here(view.list(path, after, limit, never)),
  };
}

function here<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new Error('the state of a job in this thread must answer at once');
  return value;
}
