import { MemoryState } from '../../workbench/memory-state.ts';
import { testStateView, type Files } from '../../sandbox/testing/state-conformance.ts';
import { RecordedView } from './recorded-view.ts';
import { testStates, testTask } from './testing.ts';
import type { StateView } from '../../sandbox/index.ts';

/** Goal: a handler sees the same state wherever it runs. Method: all that shows it one passes the same tests. */
const none = { removed: [] };

async function committed(files: Files): Promise<{ view: StateView; close: () => Promise<void> }> {
  const { states, close } = await testStates();
  const state = await states.open('k51view');
  if (files.size > 0) await state.update(testTask(1), async () => ({ changes: { ...none, written: files } }));
  return { view: state.view(), close };
}

/** What an update sees while the changes of others before it are not committed. */
async function pending(files: Files): Promise<{ view: StateView; close: () => Promise<void> }> {
  const { states, close } = await testStates();
  const state = await states.open('k51view');
  const half = [...files].slice(0, files.size / 2);
  const before = new Map([...half, ['gone', new Uint8Array(3)] as const]);
  await state.update(testTask(1), async () => ({ changes: { ...none, written: before } }));
  const rest = { removed: ['gone'], written: new Map([...files].slice(files.size / 2)) };
  const seen = Promise.withResolvers<StateView>();
  const release = Promise.withResolvers<void>();
  const first = state.update(testTask(2), async () => ({ changes: rest }));
  const second = state.update(testTask(3), async (view) => {
    // One that ran ahead of its turn is run again.
    if ((await view.stat('gone', new AbortController().signal)) !== undefined) return {};
    seen.resolve(view);
    await release.promise;
    return {};
  });
  const view = await seen.promise;
  return {
    view,
    async close() {
      release.resolve();
      await Promise.all([first, second]);
      await close();
    },
  };
}

testStateView('a state in memory', async (files) => ({ view: new MemoryState(files) }));
testStateView('a committed state', committed);
testStateView('the state that an update sees behind others', pending);
testStateView('a view that remembers', async (files) => {
  const { view, close } = await committed(files);
  return { view: new RecordedView(view), close };
});
