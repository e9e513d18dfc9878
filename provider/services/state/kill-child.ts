import { pathToFileURL } from 'node:url';
import type { StateView } from '../../sandbox/index.ts';
import { read, testStates, testTask, write } from './testing.ts';
import type { UpdateResult } from './types.ts';

/** The process that durability.test.ts kills: updates in a loop, and tells its parent what was acknowledged. */
export const SERVICE = 'k51killed';

/** Counts, and notes under the task's name what it counted: whatever is lost or done twice shows. */
export async function countUpdate(name: string, view: StateView): Promise<UpdateResult> {
  const count = Number((await read(view, 'count')) ?? 0);
  const changes = write({ count: String(count + 1), [`log/${name}`]: String(count) });
  return { changes, answer: async ({ commit }) => Buffer.from(`${name} in ${String(commit)}`) };
}

async function main(path: string, round: string): Promise<void> {
  const { states } = await testStates(path);
  const state = await states.open(SERVICE);
  for (let count = 0; ;) {
    const batch = Array.from({ length: 1 + (count % 40) }, async () => {
      const name = `${round}x${count++}`;
      await state.update(testTask(name), (view) => countUpdate(name, view));
      return name;
    });
    process.send?.(await Promise.all(batch));
  }
}

const [, script, path, round] = process.argv;
if (script !== undefined && import.meta.url === pathToFileURL(script).href && path !== undefined) {
  await main(path, round ?? '');
}
