import { expect, test } from 'vitest';
import { SharedWork } from './shared-work.ts';

function deferredWork(): {
  work: SharedWork<string>;
  runs: AbortSignal[];
  finish: (value: string) => void;
  start: (signal: AbortSignal) => Promise<string>;
} {
  const { promise, resolve } = Promise.withResolvers<string>();
  const runs: AbortSignal[] = [];
  return {
    work: new SharedWork<string>(),
    runs,
    finish: resolve,
    start: (signal) => {
      runs.push(signal);
      return promise;
    },
  };
}

test('callers who come together share one piece of work, and one of them is the first', async () => {
  const { work, runs, finish, start } = deferredWork();
  const shares = [1, 2, 3].map(() => work.join('key', start));
  finish('done');
  expect(await Promise.all(shares)).toEqual([
    { settled: { value: 'done' }, first: true },
    { settled: { value: 'done' }, first: false },
    { settled: { value: 'done' }, first: false },
  ]);
  expect(runs).toHaveLength(1);
});

test('a caller who leaves does not disturb the others, and the next in line becomes the first', async () => {
  const { work, runs, finish, start } = deferredWork();
  const controller = new AbortController();
  const leaving = work.join('key', start, controller.signal);
  const staying = work.join('key', start);
  controller.abort(new Error('left'));
  await expect(leaving).rejects.toThrow('left');
  expect(runs[0]?.aborted).toBe(false);
  finish('done');
  expect(await staying).toEqual({ settled: { value: 'done' }, first: true });
});

test('work stops when nobody waits any more, and the next caller starts it anew', async () => {
  const { work, runs, finish, start } = deferredWork();
  const controller = new AbortController();
  const leaving = work.join('key', start, controller.signal);
  await Promise.resolve();
  controller.abort(new Error('left'));
  await expect(leaving).rejects.toThrow('left');
  const again = work.join('key', start);
  finish('done');
  expect((await again).first).toBe(true);
  expect(runs.map(({ aborted }) => aborted)).toEqual([true, false]);
});

test('an error is everybody’s, and is not kept', async () => {
  const work = new SharedWork<string>();
  let runs = 0;
  const fail = async (): Promise<string> => {
    runs += 1;
    throw new Error('no');
  };
  const shares = await Promise.all([work.join('key', fail), work.join('key', fail)]);
  expect(shares.map(({ settled, first }) => ['error' in settled, first])).toEqual([
    [true, true],
    [true, false],
  ]);
  await work.join('key', fail);
  expect(runs).toBe(2);
});
