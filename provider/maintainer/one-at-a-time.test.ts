import { expect, test } from 'vitest';
import { directory } from '../../test/fixtures.ts';
import { oneAtATime } from './one-at-a-time.ts';

const { signal } = new AbortController();

test('who comes second is told who is at it, and goes on when that one has ended', async () => {
  const data = await directory();
  const first = await oneAtATime(data, { signal });
  const told = Promise.withResolvers<string>();
  const second = oneAtATime(data, { signal, onWait: told.resolve });
  expect(await told.promise).toBe(`process ${process.pid}`);
  first.release();
  (await second).release();
});

test('who waits for too long is told what to do, and who is stopped waits no longer', async () => {
  const data = await directory();
  const first = await oneAtATime(data, { signal });
  await expect(oneAtATime(data, { signal, waitMsMax: 0 })).rejects.toMatchObject({
    code: 'MAINTAINER_BUSY',
    retryable: true,
    message: expect.stringContaining(`process ${process.pid}`),
  });
  const stop = new AbortController();
  const waiting = oneAtATime(data, { signal: stop.signal, onWait: () => stop.abort(new Error('stopped')) });
  await expect(waiting).rejects.toThrow();
  first.release();
});
