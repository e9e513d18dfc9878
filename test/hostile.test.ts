import { afterAll, describe, expect, test } from 'vitest';
import { createModuleLoader } from '../provider/modules/index.ts';
import { createSandbox } from '../provider/sandbox/index.ts';
import { jobOf, loadHandler, parseWat, handlerWat } from '../provider/sandbox/testing/modules.ts';
import { rawCid, WorkswapError } from '../sdk/protocol/index.ts';
import { truncations } from './hostile/bombs.ts';
import type { HostileCase } from './hostile/case.ts';
import { corpus } from './hostile/corpus.ts';
import { FILE_PATH, HUGE_COUNT, HUGE_DIRECTORY } from './hostile/state.ts';
import { MemoryState } from '../provider/workbench/index.ts';

/**
 * Goal: whatever a stranger sends ends in its documented error, and everybody else is served meanwhile. Method: every
 * case takes the way of a real job, from bytes by CID through the loader to a pool with real workers, while honest jobs
 * run beside it on the same workers.
 */
const MEMORY_BYTES_MAX = 256 * 1024 * 1024;
const blocks = new Map<string, Uint8Array>();
const loader = createModuleLoader({
  getBlock: async (cid) => blocks.get(cid.toString()) ?? Promise.reject(new Error('nobody has it')),
});
const FILE = new Uint8Array(1000).fill(5);
const sandbox = createSandbox({
  threads: 2,
  spareThreads: 1,
  memoryBytesMax: MEMORY_BYTES_MAX,
  readFile: async (_, offset, length) => FILE.subarray(offset, offset + length),
  fileSize: async () => FILE.length,
});
const state = new MemoryState([
  [FILE_PATH, new Uint8Array(100).fill(7)],
  ...Array.from({ length: HUGE_COUNT }, (_, i) => [`${HUGE_DIRECTORY}/${i}`, new Uint8Array(1)] as const),
]);
const honest = jobOf(loadHandler());

afterAll(async () => {
  await sandbox.close();
  await loader.close();
});

/** The code that the attempt ends with; undefined when the job succeeds. */
async function endOf({ bytes, job, state: access }: HostileCase): Promise<string | undefined> {
  const module = bytes();
  const cid = rawCid(module);
  blocks.set(cid.toString(), module);
  try {
    const spec = jobOf(await loader.load(cid), job);
    const at = access === undefined ? {} : { state: { view: state, writable: access === 'update' } };
    const outcome = await sandbox.run({ ...spec, ...at }, { consumer: 'stranger' });
    return outcome.error?.code;
  } catch (error) {
    if (!(error instanceof WorkswapError)) throw error;
    return error.code;
  } finally {
    blocks.delete(cid.toString());
  }
}

async function attack(each: HostileCase): Promise<void> {
  const neighbour = sandbox.run(honest, { consumer: 'neighbour' });
  const end = await endOf(each);
  if (typeof each.ends === 'object') expect(each.ends).toContain(end);
  else expect(end).toBe(each.ends);
  expect((await neighbour).error).toBeUndefined();
}

describe.each(Object.entries(corpus))('%s', (_, cases) => {
  test.each(cases.map((each) => [each.name, each] as const))('%s', (__, each) => attack(each));
});

test('a handler cut off at any byte is refused', async () => {
  for (const each of truncations(parseWat(handlerWat()))) await attack(each);
});

test('afterwards every stopped thread is gone, nothing is held, and the workers serve', async () => {
  expect(Object.values(corpus).flat().length).toBeGreaterThanOrEqual(100);
  expect((await sandbox.run(honest)).error).toBeUndefined();
  // A place is held until its thread is gone: this would wait for ever for one that cannot be stopped.
  while (sandbox.stats().memoryReservedBytes > 0) await nextTurn();
  expect(sandbox.stats()).toMatchObject({ running: 0, waiting: 0, queued: 0, queuedBytes: 0 });
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
