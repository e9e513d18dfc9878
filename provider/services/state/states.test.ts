import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { rawCid } from '../../../sdk/protocol/index.ts';
import {
  cidOfKey,
  collectGarbage,
  emptyRoot,
  migrate,
  openDatabase,
  type CollectableBlocks,
} from '../../store/index.ts';
import { stateSchema } from './schema.ts';
import { collect } from './testing-collect.ts';
import type { ServiceState } from './types.ts';
import { allFiles, put, read, testDirectory, testStates, testTask, write, type TestStates } from './testing.ts';

const NAME = 'k51service';
const { signal } = new AbortController();
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(directory?: string, init?: Parameters<typeof testStates>[1]): Promise<TestStates> {
  const opened = await testStates(directory, init);
  cleanups.push(opened.close);
  return opened;
}

describe('updates', () => {
  test('a new state is the empty directory and has no commit', async () => {
    const state = await (await open()).states.open(NAME);
    expect(state.root.toString()).toBe('bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354');
    expect(state.commit).toBeUndefined();
    expect(await allFiles(state.view())).toEqual(new Map());
  });

  test('each sees those before it, and queries see what is committed', async () => {
    const state = await (await open()).states.open(NAME);
    const updates = Array.from({ length: 20 }, (_, i) =>
      state.update(testTask(i), async (view) => {
        const seen = await read(view, 'last');
        return { changes: write({ last: String(i), [`saw/${i}`]: String(seen) }) };
      }),
    );
    await Promise.all(updates);
    const files = await allFiles(state.view());
    for (let i = 0; i < 20; i++) expect(files.get(`saw/${i}`)).toBe(i === 0 ? 'undefined' : String(i - 1));
    expect(files.get('last')).toBe('19');
  });

  test('that look at different files run at the same time, and are committed in order all the same', async () => {
    const state = await (await open()).states.open(NAME);
    await put(state, 'first', { 'd/0': 'x' });
    let running = 0;
    let most = 0;
    const bothRun = Promise.withResolvers<void>();
    const updates = Array.from({ length: 6 }, (_, i) =>
      state.update(testTask(i), async (view) => {
        running += 1;
        most = Math.max(most, running);
        if (running === 2) bothRun.resolve();
        await bothRun.promise;
        await view.stat('d', signal);
        running -= 1;
        return { changes: write({ [`d/${i + 1}`]: String(await read(view, `d/${i + 1}`)) }) };
      }),
    );
    await Promise.all(updates);
    expect(most).toBeGreaterThan(1);
    const tasks = (await collect(state.history())).reverse().flatMap(({ commit }) => commit.tasks.map(String));
    expect(tasks).toEqual(['first', 0, 1, 2, 3, 4, 5].map((name) => testTask(name).toString()));
  });

  test('that arrive while a commit is on its way to the disk are in one commit, in order', async () => {
    const { path, remove } = testDirectory();
    cleanups.push(remove);
    const state = await (await open(path)).states.open(NAME);
    const before = state.root;
    const done = await Promise.all(Array.from({ length: 50 }, (_, i) => put(state, i, { [`f${i}`]: 'x' })));
    const commits = await collect(state.history());
    expect(commits.length).toBeLessThan(50);
    expect(commits.reverse().flatMap(({ commit }) => commit.tasks.map(String))).toEqual(
      Array.from({ length: 50 }, (_, i) => testTask(i).toString()),
    );
    expect(commits[0]!.commit.before.equals(before)).toBe(true);
    for (const [i, { commit }] of commits.entries()) {
      const { before: expected, commit: cid } =
        done[commits.slice(0, i).reduce((n, one) => n + one.commit.tasks.length, 0)]!;
      expect([commit.before.toString(), commits[i]!.cid.toString()]).toEqual([expected.toString(), cid!.toString()]);
    }
    expect(commits.at(-1)!.commit.after.equals(state.root)).toBe(true);
  });

  test('one that changed nothing belongs to no commit, unless its group has one', async () => {
    const { path, remove } = testDirectory();
    cleanups.push(remove);
    const state = await (await open(path)).states.open(NAME);
    const nothing = (task: string) => state.update(testTask(task), async () => ({}));
    expect(await nothing('alone')).toMatchObject({ commit: undefined });
    expect(state.commit).toBeUndefined();
    const [first, held, behind] = await Promise.all([
      put(state, 1, { a: '1' }),
      put(state, 2, { a: '2' }),
      nothing('behind'),
    ]);
    expect(held).toEqual(first);
    expect(behind).toEqual(first);
    expect(state.applied(testTask('alone'))).toMatchObject({ commit: undefined, answer: undefined });
  });

  test('one that throws, or asks for what no state has, changes nothing and the next goes on', async () => {
    const state = await (await open()).states.open(NAME);
    await put(state, 1, { a: '1' });
    const failing = state.update(testTask(2), async () => {
      throw new RangeError('no');
    });
    await expect(failing).rejects.toThrow(RangeError);
    for (const path of ['', '/a', 'a//b', '../a', 'a/./b', 'a\0', 'x'.repeat(256), 'a/'.repeat(32) + 'a', '\ud800']) {
      await expect(put(state, `bad ${path}`, { good: 'x', [path]: 'x' })).rejects.toMatchObject({
        code: 'INVALID_PATH',
      });
      await expect(put(state, `bad ${path}`, {}, [path])).rejects.toMatchObject({ code: 'INVALID_PATH' });
    }
    await expect(put(state, 'large', { a: new Uint8Array(16 * 1024 * 1024 + 1) })).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
    });
    await put(state, 3, { b: '2' });
    expect(await allFiles(state.view())).toEqual(
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    );
  });

  test('names whose hashes collide fail the update that brings the second, and not those before it', async () => {
    const { path, remove } = testDirectory();
    cleanups.push(remove);
    const state = await (await open(path)).states.open(NAME);
    const names = Array.from({ length: 1_600 }, (_, i) => [`${'n'.repeat(120)}${i}`, 'x']);
    await put(state, 'many', Object.fromEntries(names));
    // Of one hash of murmur3-x64-64.
    const [first, second] = [
      '3271706162376678637a726973646d621b7b5f400f5b7456694511182a7b220c',
      '766666693777353972776b68376763661172667e193148524f696d13545d485b',
    ].map((hex) => Buffer.from(hex, 'hex').toString()) as [string, string];
    const results = await Promise.allSettled([
      put(state, 'in the way', { 'in-the-way': '1' }),
      put(state, 'first', { [first]: '1' }),
      put(state, 'second', { [second]: '2' }),
      put(state, 'behind', { behind: '1' }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect((results[2] as PromiseRejectedResult).reason).toMatchObject({
      code: 'DIRECTORY_TOO_DEEP',
      fault: 'handler',
    });
    expect((results[3] as PromiseRejectedResult).reason).toMatchObject({ code: 'UPDATE_UNDONE', retryable: true });
    await put(state, 'behind', { behind: '1' });
    expect((await allFiles(state.view())).size).toBe(1_603);
  });
});

describe('a task', () => {
  test('is applied once: the second time its commit is named, also after a restart', async () => {
    const { path, remove } = testDirectory();
    cleanups.push(remove);
    const first = await testStates(path);
    const state = await first.states.open(NAME);
    const [one, two] = await Promise.allSettled([put(state, 1, { a: '1' }), put(state, 1, { a: '2' })]);
    expect(one).toMatchObject({ status: 'fulfilled' });
    const { commit } = state;
    const refused = { code: 'ALREADY_APPLIED', fault: 'consumer', commit };
    expect(two).toMatchObject({ status: 'rejected', reason: refused });
    await first.close();
    const again = await (await open(path)).states.open(NAME);
    await expect(put(again, 1, { a: '3' })).rejects.toMatchObject({ code: 'ALREADY_APPLIED' });
    expect(again.applied(testTask(1))?.commit?.equals(commit!)).toBe(true);
    expect(await read(again.view(), 'a')).toBe('1');
  });

  test('is known for as long as it has to be, also when it is not in memory any more', async () => {
    const { path, remove } = testDirectory();
    cleanups.push(remove);
    const limits = { appliedInMemory: 2 };
    const first = await testStates(path, { limits });
    const state = await first.states.open(NAME);
    for (let i = 0; i < 20; i++) await put(state, i, { [`f${i}`]: 'x' });
    const applied = (of: ServiceState) => Array.from({ length: 21 }, (_, i) => of.applied(testTask(i)) !== undefined);
    const expected = Array.from({ length: 21 }, (_, i) => i < 20);
    expect(applied(state)).toEqual(expected);
    await first.close();
    const again = await (await open(path, { limits })).states.open(NAME);
    expect(applied(again)).toEqual(expected);
    await expect(put(again, 7, { a: '1' })).rejects.toMatchObject({ code: 'ALREADY_APPLIED' });
  });

  test('that failed is not applied, and can be tried again', async () => {
    const state = await (await open()).states.open(NAME);
    const failing = state.update(testTask(1), async () => {
      throw new Error('no');
    });
    const waiting = put(state, 1, { a: '1' });
    await expect(failing).rejects.toThrow('no');
    await waiting;
    expect(await read(state.view(), 'a')).toBe('1');
  });

  test('has its answer kept, made when the commit is known, up to a limit', async () => {
    const { path, remove } = testDirectory();
    cleanups.push(remove);
    const first = await testStates(path, { limits: { answerBytesMax: 100, answersBytesMax: 250 } });
    const state = await first.states.open(NAME);
    const answered = (task: string, length: number) =>
      state.update(testTask(task), async () => ({
        changes: write({ a: task }),
        answer: async ({ commit }) => Buffer.from(String(commit).padEnd(length)),
      }));
    const kept = (task: string) => {
      const answer = state.applied(testTask(task))?.answer;
      return answer && Buffer.from(answer).toString();
    };
    const first100 = String((await answered('first', 100)).commit).padEnd(100);
    expect(kept('first')).toBe(first100);
    await answered('too long', 101);
    await answered('second', 100);
    await answered('too many', 100);
    expect(['too long', 'too many'].map((task) => kept(task))).toEqual([undefined, undefined]);
    expect(state.applied(testTask('too many'))).toMatchObject({ commit: state.commit, isEarlier: false });
    await first.close();
    const again = await (await open(path)).states.open(NAME);
    expect(Buffer.from(again.applied(testTask('first'))!.answer!).toString()).toBe(first100);
    expect(again.applied(testTask('second'))).toMatchObject({ isEarlier: true });
  });

  test('has its blocks in the block store like those of its commit, and none when no commit holds it', async () => {
    const { path, remove } = testDirectory();
    cleanups.push(remove);
    const first = await testStates(path);
    const state = await first.states.open(NAME);
    const bytes = ['alone', 'held'].map((text) => Buffer.from(text));
    const [alone, held] = bytes.map((block) => new Map([[rawCid(block), block]]));
    await state.update(testTask('alone'), async () => ({ blocks: alone }));
    await state.update(testTask('held'), async () => ({ blocks: held, changes: write({ a: '1' }) }));
    await first.close();
    const again = await open(path);
    expect(await again.blockstore.read(rawCid(bytes[1]!))).toEqual(Uint8Array.from(bytes[1]!));
    expect(await again.blockstore.read(rawCid(bytes[0]!))).toBeUndefined();
  });

  test('whose answer cannot be made is undone', async () => {
    const { states } = await open();
    const state = await states.open(NAME);
    const answer = async (): Promise<Uint8Array> => {
      throw new RangeError('no ink');
    };
    const update = state.update(testTask(1), async () => ({ changes: write({ a: '1' }), answer }));
    await expect(update).rejects.toThrow('no ink');
    expect([state.commit, state.applied(testTask(1))]).toEqual([undefined, undefined]);
    await put(state, 2, { b: '2' });
    expect([...(await allFiles(state.view())).keys()]).toEqual(['b']);
  });

  test('is forgotten when it could not be accepted any more', async () => {
    const { path, remove } = testDirectory();
    cleanups.push(remove);
    const first = await testStates(path);
    await put(await first.states.open(NAME), 1, { a: '1' });
    await first.close();
    // The first commit of a process deletes what is over.
    const { states, database } = await open(path, { limits: { appliedKeepMs: -1 } });
    await states.open('k51new');
    expect(database.sqlite.prepare('SELECT count(*) AS n FROM applied').get()).toEqual({ n: 0 });
  });
});

describe('history', () => {
  test('is a chain of commits from the newest to the first, each leading to the next', async () => {
    const state = await (await open()).states.open(NAME);
    for (let i = 0; i < 5; i++) await put(state, i, { [`f${i}`]: 'x' });
    const commits = await collect(state.history());
    expect(commits.map(({ commit }) => commit.tasks.map(String))).toEqual(
      [4, 3, 2, 1, 0].map((i) => [testTask(i).toString()]),
    );
    for (const [i, { commit }] of commits.slice(0, -1).entries()) {
      expect(commit.previous!.equals(commits[i + 1]!.cid)).toBe(true);
      expect(commit.before.equals(commits[i + 1]!.commit.after)).toBe(true);
    }
    expect(commits.at(-1)!.commit.previous).toBeUndefined();
    expect(await collect(state.history({ from: commits[3]!.cid }))).toEqual(commits.slice(3));
  });

  test('every root of it can be read, and a rollback brings one back as a commit of its own', async () => {
    const state = await (await open()).states.open(NAME);
    for (let i = 0; i < 5; i++) await put(state, i, { a: String(i), [`f${i}`]: 'x' });
    const commits = await collect(state.history());
    expect(await read(state.view(commits[3]!.commit.after), 'a')).toBe('1');
    let changes = 0;
    const end = state.changed(() => (changes += 1));
    const [during, { cid, commit }] = await Promise.all([
      put(state, 'during', { b: '1' }),
      state.rollback(commits[3]!.cid),
    ]);
    expect(commit).toMatchObject({ tasks: [], previous: during.commit });
    expect(state.commit!.equals(cid)).toBe(true);
    expect([...(await allFiles(state.view())).keys()]).toEqual(['a', 'f0', 'f1']);
    expect(changes).toBe(2);
    end();
    await put(state, 'after', { a: 'new' });
    expect(changes).toBe(2);
    expect((await collect(state.history())).length).toBe(8);
    await expect(state.rollback(testTask('no commit'))).rejects.toMatchObject({ code: 'UNKNOWN_COMMIT' });
  });
});

describe('import', () => {
  test('a service goes on at another provider from its commit, and there its history goes on', async () => {
    const from = await open();
    const state = await from.states.open(NAME);
    await put(state, 1, { a: '1', 'large/one': new Uint8Array(3_000_000) });
    await put(state, 2, Object.fromEntries(Array.from({ length: 1_700 }, (_, i) => [`d/${'n'.repeat(120)}${i}`, 'x'])));
    const to = await open(undefined, { getBlock: async (cid) => (await from.blockstore.read(cid))! });
    const moved = await to.states.open(NAME, { commit: state.commit! });
    expect(moved.root.equals(state.root)).toBe(true);
    await Promise.all([put(state, 3, { b: '1' }), put(moved, 3, { b: '1' })]);
    expect(moved.root.equals(state.root)).toBe(true);
    expect((await collect(moved.history())).length).toBe(3);
    // Everything is here: the other provider is not asked any more.
    const offline = await open(undefined, { blockstore: to.blockstore });
    const third = await offline.states.open(NAME, { commit: moved.commit! });
    expect((await allFiles(third.view())).size).toBe(1_703);
  });

  test('the commit of another service is refused, and so is a state that is none', async () => {
    const from = await open();
    const state = await from.states.open(NAME);
    await put(state, 1, { a: '1' });
    const to = await open(undefined, { getBlock: async (cid) => (await from.blockstore.read(cid))! });
    await expect(to.states.open('k51other', { commit: state.commit! })).rejects.toMatchObject({
      code: 'DOCUMENT_INVALID',
    });
    await expect(to.states.open(NAME, { commit: state.root })).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
    // It can be had in another way afterwards.
    expect((await to.states.open(NAME, { commit: state.commit! })).root.equals(state.root)).toBe(true);
    expect(to.states.services()).toEqual([NAME]);
  });
});

test('states are there after closing and opening, each service its own', async () => {
  const { path, remove } = testDirectory();
  cleanups.push(remove);
  const first = await testStates(path);
  for (const name of ['k51b', 'k51a']) await put(await first.states.open(name), name, { name });
  await first.close();
  await expect(first.states.open('k51a')).rejects.toMatchObject({ code: 'STATE_CLOSED', retryable: true });
  const again = await open(path);
  expect(again.states.services()).toEqual(['k51b', 'k51a']);
  for (const name of ['k51a', 'k51b']) expect(await read((await again.states.open(name)).view(), 'name')).toBe(name);
});

test('what an earlier version left on its way to the block store is there', async () => {
  const { path, remove } = testDirectory();
  cleanups.push(remove);
  const database = openDatabase(join(path, 'state.sqlite'));
  migrate(database, { ...stateSchema, steps: stateSchema.steps.slice(0, 2) });
  const { root, made } = emptyRoot();
  const insert = database.sqlite.prepare('INSERT INTO journal (cid, bytes) VALUES (?, ?)');
  for (const [key, bytes] of [...made.blocks, ...made.blocks]) insert.run(Buffer.from(key, 'latin1'), bytes);
  database.close();
  const { blockstore } = await open(path);
  expect(await blockstore.read(cidOfKey(root))).toEqual(Uint8Array.from(made.blocks.get(root)!));
});

test('a collection of garbage leaves every commit, root and task, and what an imported state has as files', async () => {
  const { path, remove } = testDirectory();
  cleanups.push(remove);
  const from = await open();
  const origin = await from.states.open(NAME);
  await put(origin, 1, { a: '1', b: '1' });
  const opened = await open(path, { getBlock: async (cid) => (await from.blockstore.read(cid))! });
  const state = await opened.states.open(NAME, { commit: origin.commit! });
  await put(state, 2, { a: '2' });
  const junk = Buffer.from('junk');
  await opened.blockstore.put(rawCid(junk), junk);
  const blocks = opened.blockstore as CollectableBlocks;
  // As if everything had been written long ago.
  const { removed } = await collectGarbage({ blocks, roots: () => opened.states.heads(), freshMs: -60_000 });
  expect([removed, await blocks.read(rawCid(junk))]).toEqual([1, undefined]);
  await opened.close();
  const again = await (await open(path)).states.open(NAME);
  expect(await allFiles(again.view())).toEqual(new Map(Object.entries({ a: '2', b: '1' })));
  expect(await collect(again.history({ from: again.commit! }))).toHaveLength(2);
});

test('closing ends the update that runs, and refuses those that wait', async () => {
  const { path, remove } = testDirectory();
  cleanups.push(remove);
  const opened = await testStates(path);
  const state = await opened.states.open(NAME);
  const started = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const running = state.update(testTask(1), async () => {
    started.resolve();
    await gate.promise;
    return { changes: write({ a: '1' }) };
  });
  const waiting = put(state, 2, { a: '2' });
  await started.promise;
  const closing = opened.close();
  await expect(waiting).rejects.toMatchObject({ code: 'STATE_CLOSED' });
  gate.resolve();
  await running;
  await closing;
  expect(await read((await (await open(path)).states.open(NAME)).view(), 'a')).toBe('1');
});

test('more updates than a service queues are refused', async () => {
  const state = await (await open(undefined, { limits: { queueMax: 3 } })).states.open(NAME);
  const results = await Promise.allSettled(Array.from({ length: 6 }, (_, i) => put(state, i, { a: String(i) })));
  expect(results.filter(({ status }) => status === 'rejected')).toMatchObject([
    { reason: { code: 'STATE_BUSY', retryable: true } },
    { reason: { code: 'STATE_BUSY' } },
  ]);
});
