import type { CID } from 'multiformats/cid';
import { expect, test } from 'vitest';
import { rawCid } from '../../sdk/protocol/index.ts';
import { Announcer, type AnnouncerInit } from './announcer.ts';
import { ROUTING_LIMITS } from './limits.ts';

const cids = Array.from({ length: 20 }, (_, i) => rawCid(new Uint8Array([i])));

/** An announcer whose every announcement is seen, and what `provide` answers decided by its number. */
function announcer(
  init: Partial<AnnouncerInit> & { answer?: (call: number) => number | Error | Promise<number> },
  limits = {},
) {
  const calls: CID[] = [];
  let seen = Promise.withResolvers<void>();
  const announces = new Announcer({
    provide: async (cid) => {
      calls.push(cid);
      seen.resolve();
      const answer = await (init.answer?.(calls.length) ?? 1);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    limits: { ...ROUTING_LIMITS, announceRetryMs: 1, ...limits },
    log: undefined,
    ...(init.held === undefined ? {} : { held: init.held }),
  });
  const until = async (count: number): Promise<void> => {
    while (calls.length < count) {
      await seen.promise;
      seen = Promise.withResolvers();
    }
  };
  return { announces, calls, until };
}

test('what reached nobody, or failed, is announced again until somebody was told', async () => {
  const { announces, calls, until } = announcer({ answer: (call) => [0, new Error('no way'), 1][call - 1] ?? 1 });
  announces.announce(cids[0]!);
  await until(3);
  announces.announce(cids[1]!);
  await until(4);
  expect(calls).toEqual([cids[0], cids[0], cids[0], cids[1]]);
  announces.stop();
});

test('a CID is announced once, and no more than the limit allows', async () => {
  const { announces, calls, until } = announcer({}, { announcedMax: 3 });
  const accepted = [...cids.slice(0, 3), cids[0]!, cids[3]!].map((cid) => announces.announce(cid));
  expect(accepted).toEqual([true, true, true, true, false]);
  await until(3);
  expect(calls).toEqual(cids.slice(0, 3));
  announces.stop();
});

test('only so many are under way at the same time, and none starts after the stop', async () => {
  const gate = Promise.withResolvers<number>();
  const { announces, calls } = announcer({ answer: () => gate.promise }, { announcementsMax: 2 });
  for (const cid of cids) announces.announce(cid);
  expect(calls).toHaveLength(2);
  announces.stop();
  gate.resolve(1);
  await gate.promise;
  await new Promise(setImmediate);
  expect(calls).toHaveLength(2);
  expect(announces.announce(rawCid(new Uint8Array([99])))).toBe(false);
});

test('what is held is announced at the start', async () => {
  const { announces, calls, until } = announcer({
    held: async function* () {
      yield* cids.slice(0, 5);
    },
  });
  announces.start();
  await until(5);
  expect(calls).toEqual(cids.slice(0, 5));
  announces.stop();
});
