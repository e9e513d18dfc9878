import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { canMount } from '../../../test/processes.ts';
import { collect } from './testing-collect.ts';
import { countUpdate, SERVICE } from './kill-child.ts';
import { allFiles, put, read, testDirectory, testStates, testTask, write } from './testing.ts';
import type { ServiceState } from './types.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs the tasks of all commits again, from nothing, each on what those before it left. */
async function replay(state: ServiceState, nameOf: ReadonlyMap<string, string>): Promise<string> {
  const fresh = await testStates();
  cleanups.push(fresh.close);
  const again = await fresh.states.open(SERVICE);
  const commits = (await collect(state.history())).reverse();
  for (const { commit } of commits) {
    expect(commit.before.toString()).toBe(again.root.toString());
    for (const task of commit.tasks)
      await again.update(task, (view) => countUpdate(nameOf.get(task.toString())!, view));
    expect(commit.after.toString()).toBe(again.root.toString());
  }
  return again.root.toString();
}

describe('after kill -9', () => {
  test(
    'no acknowledged update is missing, none was applied twice, and the commits replay',
    { timeout: 240_000 },
    async () => {
      const { path, remove } = testDirectory();
      cleanups.push(remove);
      const acknowledged: string[] = [];
      for (let round = 0; round < 12; round++) {
        const child = fork(new URL('./kill-child.ts', import.meta.url), [path, String(round)], { stdio: 'inherit' });
        const exit = once(child, 'exit');
        // At another point of the child's progress in each round, from the very first update on.
        const killAfter = 1 + Math.floor(round ** 2 * 2 + Math.random() * 150);
        let seen = 0;
        child.on('message', (names: string[]) => {
          acknowledged.push(...names);
          seen += names.length;
          if (seen >= killAfter) child.kill('SIGKILL');
        });
        expect(await exit).toEqual([null, 'SIGKILL']);

        const opened = await testStates(path);
        const state = await opened.states.open(SERVICE);
        const files = await allFiles(state.view());
        const log = [...files]
          .filter(([file]) => file.startsWith('log/'))
          .map(([file, count]) => [file.slice(4), count]);
        expect(log.map(([, count]) => Number(count)).sort((a, b) => a - b)).toEqual(Array.from(log.keys()));
        expect(Number(files.get('count') ?? 0)).toBe(log.length);
        const names = new Set(log.map(([name]) => name));
        expect(acknowledged.filter((name) => !names.has(name))).toEqual([]);
        // Whatever is in the state is known as applied, acknowledged or not: asked again, it is not done again.
        for (const name of names) {
          const { commit, answer, isEarlier } = state.applied(testTask(name!))!;
          expect(Buffer.from(answer!).toString()).toBe(`${name!} in ${String(commit)}`);
          expect([commit, isEarlier]).toEqual([expect.anything(), true]);
        }
        if (round % 4 === 3) {
          const nameOf = new Map([...names].map((name) => [testTask(name!).toString(), name!]));
          expect(await replay(state, nameOf)).toBe(state.root.toString());
        }
        expect(opened.database.sqlite.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
        await opened.close();
      }
      expect(acknowledged.length).toBeGreaterThan(500);
      // Everything is in the block store, where others find it.
      const opened = await testStates(path);
      cleanups.push(opened.close);
      const state = await opened.states.open(SERVICE);
      const elsewhere = await testStates(undefined, { blockstore: opened.blockstore });
      cleanups.push(elsewhere.close);
      const moved = await elsewhere.states.open(SERVICE, { commit: state.commit! });
      expect(await allFiles(moved.view())).toEqual(await allFiles(state.view()));
    },
  );
});

describe('on a full disk', () => {
  /** SQLite's own page limit gives the same answer as a disk without space. */
  async function fullStates() {
    const opened = await testStates();
    cleanups.push(opened.close);
    const pragma = (name: string) => Number(opened.database.sqlite.prepare(`PRAGMA ${name}`).get()?.[name]);
    return {
      ...opened,
      state: await opened.states.open('k51full'),
      fill: () => opened.database.sqlite.exec(`PRAGMA max_page_count = ${pragma('page_count')}`),
      empty: () => opened.database.sqlite.exec('PRAGMA max_page_count = 1000000'),
    };
  }

  test('updates are refused and undone, queries go on, and so do updates when there is space', async () => {
    const { state, fill, empty } = await fullStates();
    await put(state, 'before', { a: 'before' });
    const { root, commit } = state;
    fill();
    const big = new Uint8Array(100_000);
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, (_, i) =>
        state.update(testTask(i), async (view) => {
          await read(view, 'a');
          return { changes: write({ a: `during ${i}`, [`big${i}`]: big.map(() => i) }) };
        }),
      ),
    );
    expect(results.map((result) => (result.status === 'rejected' ? result.reason.code : ''))).toSatisfy(
      (codes: string[]) => codes.every((code) => code === 'STORE_FULL' || code === 'UPDATE_UNDONE'),
    );
    expect([state.root.toString(), state.commit]).toEqual([root.toString(), commit]);
    expect(await read(state.view(), 'a')).toBe('before');
    expect(state.applied(testTask(0))).toBeUndefined();
    empty();
    // What was undone is seen by nobody, and can be asked again.
    await state.update(testTask(0), async (view) => {
      expect(await read(view, 'a')).toBe('before');
      return { changes: write({ a: 'after', big0: big }) };
    });
    expect([...(await allFiles(state.view())).keys()]).toEqual(['a', 'big0']);
    expect((await collect(state.history())).length).toBe(2);
    await expect(state.rollback(commit!)).resolves.toMatchObject({ commit: { tasks: [] } });
  });

  test('a rollback that finds no space leaves everything as it was', async () => {
    const { state, fill, empty } = await fullStates();
    await put(state, 1, { a: '1' });
    await put(state, 2, { a: '2' });
    const first = (await collect(state.history()))[1]!.cid;
    fill();
    let refusal: unknown;
    // A commit of a rollback is small: it may find some room in pages that are there.
    while (refusal === undefined) {
      const { root } = state;
      refusal = await state.rollback(first).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refusal !== undefined) expect(state.root.toString()).toBe(root.toString());
    }
    expect(refusal).toMatchObject({ code: 'STORE_FULL', retryable: true });
    empty();
    await put(state, 3, { b: '3' });
    expect(await allFiles(state.view())).toEqual(
      new Map([
        ['a', '1'],
        ['b', '3'],
      ]),
    );
  });

  test.skipIf(!canMount())('nothing that was acknowledged on a small disk is lost', async () => {
    const { path, remove } = testDirectory();
    cleanups.push(remove);
    const script = new URL('./full-disk-child.ts', import.meta.url).pathname;
    const mount = 'mount -t tmpfs -o size=12m none "$0" && exec "$@"';
    const { stdout, stderr, status } = spawnSync('unshare', [
      '--mount',
      'sh',
      '-c',
      mount,
      path,
      process.execPath,
      script,
      path,
    ]);
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
    const { refused, acknowledged, log, count, codes } = JSON.parse(stdout.toString()) as Record<string, number>;
    expect(refused).toBeGreaterThan(0);
    expect(codes).toEqual([]);
    expect({ log, count }).toEqual({ log: acknowledged, count: acknowledged });
  });
});
