import { expect, it } from 'vitest';
import {
  decodeCommit,
  messageHash,
  encodeMessage,
  messagesOf,
  messagesRoot,
  rawCid,
  type ServiceMessage,
} from '../../../sdk/protocol/index.ts';
import type { Lane } from './outbox.ts';
import { read, testDirectory, testStates, testTask, write } from './testing.ts';
import type { HistoryCommit, ServiceState, States } from './types.ts';

/** The names of two keys that nobody has. */
const SERVICE = 'k51qzi5uqu5dgutdk6teh2qs5rfcpjzaevfmh6c3b3t6qhvdc4dqwaf7xj8bsf';
const ADA = '12D3KooW9pNAk8aiBuGVQtWRdbkLmo5qVL3e2h5UxbN2Nz9ttwiw';
const BOB = '12D3KooWKWnPDmm7xNydzDMMMGLtge7kYmdxJS1PXNN4eqE1hGCf';

function messagesTo(task: string | number, ...recipients: string[]): ServiceMessage[] {
  const sent = recipients.map((to, i) => ({ to, body: Buffer.from(`${task} ${i}`) }));
  return messagesOf(testTask(task), { service: SERVICE, timeMs: 1, followUps: undefined }, sent);
}

function send(state: ServiceState, task: string | number, ...recipients: string[]) {
  return state.update(testTask(task), async () => ({ messages: messagesTo(task, ...recipients) }));
}

async function historyOf(state: ServiceState): Promise<HistoryCommit[]> {
  const commits: HistoryCommit[] = [];
  for await (const entry of state.history()) commits.push(entry);
  return commits;
}

function texts({ outbox }: States, lane: Lane): string[] {
  const waiting = outbox.first(lane);
  return waiting === undefined ? [] : [Buffer.from(waiting.message.body).toString()];
}

it('an update that only sends makes a commit that says what, and its messages wait in order for each recipient', async () => {
  const { states, blockstore, close } = await testStates();
  const state = await states.open(SERVICE);
  const lanes: Lane[] = [];
  states.outbox.follow((more) => lanes.push(...more));
  const { commit } = await send(state, 'a', ADA, BOB, ADA);
  const encoded = messagesTo('a', ADA, BOB, ADA).map(encodeMessage);
  const [{ commit: made } = { commit: undefined }] = await historyOf(state);
  expect(made?.sent).toEqual(messagesRoot(encoded.map(messageHash)));
  expect(decodeCommit((await blockstore.read(commit!))!).sent).toEqual(made?.sent);
  expect(lanes.map(({ recipient }) => recipient)).toEqual([ADA, BOB]);
  expect(states.outbox.figures(SERVICE)).toMatchObject({ waiting: 3, ended: [] });
  const [ada, bob] = lanes as [Lane, Lane];
  expect([texts(states, ada), texts(states, bob)]).toEqual([['a 0'], ['a 1']]);
  await states.outbox.delivered(states.outbox.first(ada)!);
  expect(texts(states, ada)).toEqual(['a 2']);
  await states.outbox.giveUp(states.outbox.first(ada)!, { code: 'NO_DELIVER', reason: 'takes none' });
  expect(texts(states, ada)).toEqual([]);
  expect(states.outbox.figures(SERVICE)).toMatchObject({
    waiting: 1,
    ended: [{ to: ADA, code: 'NO_DELIVER', reason: 'takes none' }],
  });
  await close();
});

it('what was sent is there after a restart, what was delivered is not', async () => {
  const directory = testDirectory();
  let opened = await testStates(directory.path);
  await send(await opened.states.open(SERVICE), 'a', ADA, ADA);
  const lane = { state: 1, service: SERVICE, recipient: ADA };
  await opened.states.outbox.delivered(opened.states.outbox.first(lane)!);
  await opened.close();
  opened = await testStates(directory.path);
  const lanes: Lane[] = [];
  opened.states.outbox.follow((more) => lanes.push(...more));
  expect(lanes).toEqual([lane]);
  expect(texts(opened.states, lane)).toEqual(['a 1']);
  expect(opened.states.outbox.figures(SERVICE)).toMatchObject({ waiting: 1 });
  await opened.close();
  await directory.remove();
});

it('an update that fails, or sends too much for the outbox, sends nothing and changes nothing; then there is room again', async () => {
  const { states, close } = await testStates(undefined, { limits: { outboxMessagesMax: 3 } });
  const state = await states.open(SERVICE);
  const failing = state.update(testTask('fails'), async () => {
    throw new Error('as asked');
  });
  await expect(failing).rejects.toThrow('as asked');
  await send(state, 'a', ADA, ADA);
  const tooMuch = state.update(testTask('b'), async () => ({
    changes: write({ file: 'b' }),
    messages: messagesTo('b', ADA, BOB),
  }));
  await expect(tooMuch).rejects.toMatchObject({ code: 'OUTBOX_FULL', retryable: true });
  expect(await read(state.view(), 'file')).toBeUndefined();
  expect(state.applied(testTask('b'))).toBeUndefined();
  expect(states.outbox.figures(SERVICE)).toMatchObject({ waiting: 2 });
  await states.outbox.delivered(states.outbox.first({ state: 1, service: SERVICE, recipient: ADA })!);
  await send(state, 'b', ADA, BOB);
  expect(states.outbox.figures(SERVICE)).toMatchObject({ waiting: 3 });
  await close();
});

it('a state that moves elsewhere takes its commits along, and none of what waits here', async () => {
  const here = await testStates();
  const state = await here.states.open(SERVICE);
  const { commit } = await send(state, 'a', ADA);
  const there = await testStates(undefined, { getBlock: async (cid) => (await here.blockstore.read(cid))! });
  const moved = await there.states.open(SERVICE, { commit: commit! });
  expect(moved.commit?.equals(commit!)).toBe(true);
  expect(there.states.outbox.figures(SERVICE)).toMatchObject({ waiting: 0, ended: [] });
  expect(here.states.outbox.figures(SERVICE)).toMatchObject({ waiting: 1 });
  await there.close();
  await here.close();
});

it('of messages that were given up the newest are remembered', async () => {
  const { states, close } = await testStates(undefined, { limits: { outboxEndedMax: 2 } });
  const state = await states.open(SERVICE);
  await send(state, 'a', ADA, ADA, ADA);
  const lane = { state: 1, service: SERVICE, recipient: ADA };
  for (let i = 0; i < 3; i++) await states.outbox.giveUp(states.outbox.first(lane)!, { code: `C${i}`, reason: '' });
  expect(states.outbox.figures(SERVICE).ended).toHaveLength(2);
  await close();
});

it('many messages of many updates make commits of at most 1,024', async () => {
  const { states, close } = await testStates();
  const state = await states.open(SERVICE);
  const recipients = Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? ADA : BOB));
  await Promise.all(Array.from({ length: 40 }, (_, i) => send(state, i, ...recipients)));
  const commits = await historyOf(state);
  for (const { commit } of commits) expect(commit.tasks.length).toBeLessThanOrEqual(16);
  expect(commits.flatMap(({ commit }) => commit.tasks)).toHaveLength(40);
  expect(states.outbox.figures(SERVICE)).toMatchObject({ waiting: 2560 });
  await close();
});

it('a message is taken once, by whatever task it comes, at the same time too and after a restart', async () => {
  const directory = testDirectory();
  let opened = await testStates(directory.path);
  let state = await opened.states.open(SERVICE);
  const delivery = { key: rawCid(Buffer.from('message')), expiresMs: Date.now() + 60_000 };
  const take = (task: string) =>
    state.update(
      testTask(task),
      async (view) => ({ changes: write({ count: String(Number((await read(view, 'count')) ?? 0) + 1) }) }),
      { delivery },
    );
  const [first, ...others] = await Promise.allSettled([take('a'), take('b'), take('a'), take('c')]);
  expect(first).toMatchObject({ status: 'fulfilled' });
  for (const other of others) expect(other).toMatchObject({ reason: { code: 'ALREADY_APPLIED' } });
  await opened.close();
  opened = await testStates(directory.path);
  state = await opened.states.open(SERVICE);
  await expect(take('d')).rejects.toMatchObject({ code: 'ALREADY_APPLIED' });
  expect(await read(state.view(), 'count')).toBe('1');
  await opened.close();
  await directory.remove();
});
