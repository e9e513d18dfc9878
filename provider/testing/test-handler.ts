import { readFile } from 'node:fs/promises';
import { buildHandler } from '../../sdk/build/index.ts';
import type { TaskLimits } from '../../sdk/protocol/index.ts';
import { HandlerRunner, MemoryState } from '../workbench/index.ts';
import { TestSite } from './test-site.ts';
import { contentOf } from './test-state.ts';

export interface TestHandlerOptions {
  /** The state's files by path. */
  state?: Readonly<Record<string, string | Uint8Array>>;
  /** Blocks that the handler may read by their CIDs (raw, SHA-256: `rawCid` of `workswap/protocol` names them). */
  blocks?: readonly Uint8Array[];
  /** What a job may use; the client's defaults for what is left out. */
  limits?: Partial<TaskLimits>;
}

const CALLER = 'test';
/** A Tuesday in 2023: tests should not depend on when they run. */
const TIME_MS = 1_700_000_000_000;

/** One sandbox for all sites of a process: threads take longer to start than a handler to run. */
let shared: { runner: Promise<HandlerRunner>; users: number } | undefined;

/**
 * A handler to be tested: the path of its source or of a built module, or the module's bytes. Requests come from the
 * caller `test` at a fixed time unless `as`, `at` and `seed` say otherwise.
 *
 * @throws BuildError with every problem's file and line when the source does not build
 */
export async function testHandler(
  handler: string | Uint8Array,
  { state = {}, blocks = [], limits = {} }: TestHandlerOptions = {},
): Promise<TestSite> {
  const wasm = typeof handler === 'string' ? await moduleOf(handler) : handler;
  shared ??= { runner: HandlerRunner.open(), users: 0 };
  const own = shared;
  own.users += 1;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    own.users -= 1;
    if (own.users > 0) return;
    if (shared === own) shared = undefined;
    await (await own.runner).close();
  };
  const runner = await own.runner;
  for (const block of blocks) runner.addBlock(block);
  const files = Object.entries(state).map(([path, content]) => [path, contentOf(content)] as const);
  return new TestSite(
    {
      runner,
      handler: runner.addBlock(wasm),
      state: new MemoryState(files),
      limits,
      requestCount: 0,
      turn: Promise.resolve(),
      close,
    },
    { caller: CALLER, timeMs: TIME_MS },
  );
}

async function moduleOf(file: string): Promise<Uint8Array> {
  return file.endsWith('.wasm') ? readFile(file) : (await buildHandler(file)).wasm;
}
