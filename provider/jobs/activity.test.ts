import { CID } from 'multiformats/cid';
import { expect, test } from 'vitest';
import { WorkswapError, rawCid } from '../../sdk/protocol/index.ts';
import { ACTIVITY_LIMITS, Activity } from './activity.ts';

const handler = rawCid(new TextEncoder().encode('handler'));
const done = { status: 200, usage: { fuel: 1000, memoryPagesPeak: 2 }, priceBytes: 50 };

function run(activity: Activity, cid: CID = handler): void {
  activity.end(activity.begin('peer', cid, { method: 'GET', path: '/' }), done);
}

test('a job is live until it ends, and then counts for its handler', () => {
  const activity = new Activity();
  const job = activity.begin('peer', handler, { method: 'GET', path: '/a' });
  expect(activity.live()).toMatchObject([{ consumer: 'peer', handler: handler.toString(), path: '/a' }]);
  activity.end(job, done);
  run(activity);
  expect(activity.live()).toEqual([]);
  expect(activity.handlers()).toMatchObject([{ jobs: 2, failed: 0, fuel: 2000, priceBytes: 100 }]);
  expect(activity.recent()).toMatchObject([{ code: 'OK', status: 200 }, { path: '/a' }]);
});

test('failures are counted by code, with the words of the last one', () => {
  const activity = new Activity();
  const fail = (error: unknown): void =>
    activity.fail(activity.begin('peer', handler, { method: 'GET', path: '/' }), error);
  fail(new WorkswapError('OVER_CREDIT', 'first', { fault: 'consumer' }));
  fail(new WorkswapError('OVER_CREDIT', 'second', { fault: 'consumer' }));
  fail(new TypeError('ours'));
  expect(activity.failures()).toMatchObject([
    { code: 'OVER_CREDIT', count: 2, message: 'second', fault: 'consumer' },
    { code: 'INTERNAL', count: 1, fault: 'provider' },
  ]);
});

test('whatever strangers ask for, it stays small', () => {
  const activity = new Activity();
  for (let i = 0; i < 1000; i++) run(activity, rawCid(new TextEncoder().encode(String(i))));
  const job = activity.begin('peer', handler, { method: 'X'.repeat(1e5), path: '/'.repeat(1e6) });
  activity.fail(job, new WorkswapError('C', 'm'.repeat(1e6), { fault: 'handler' }));
  expect(activity.handlers()).toHaveLength(ACTIVITY_LIMITS.handlersMax);
  expect(activity.recent()).toHaveLength(ACTIVITY_LIMITS.recentMax);
  expect(JSON.stringify([activity.recent(), activity.failures()]).length).toBeLessThan(100_000);
});

test('listeners hear of every end until they stop', () => {
  const activity = new Activity();
  const heard: string[] = [];
  const stop = activity.onEnd(({ code }) => heard.push(code));
  run(activity);
  stop();
  run(activity);
  expect(heard).toEqual(['OK']);
});
