import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BATCH_MAX, Control, GENERATION_MAX } from './control.ts';

const SLOTS = 3;
const anySlot = fc.nat(SLOTS - 1);
const anyGeneration = fc.integer({ min: 1, max: GENERATION_MAX });

/** A worker sees the same words through a control of its own. */
function pair(): { main: Control; worker: Control } {
  const main = new Control(SLOTS);
  return { main, worker: new Control(main.buffer) };
}

test('a job is run by its worker or taken back by the main thread, and never both', () => {
  fc.assert(
    fc.property(anySlot, anyGeneration, fc.array(fc.boolean(), { maxLength: BATCH_MAX }), (slot, generation, taken) => {
      const { main, worker } = pair();
      main.open(slot, generation, taken.length);
      for (const [index, isTaken] of taken.entries()) {
        if (isTaken) expect(main.take(slot, generation, index)).toBe(true);
        expect(worker.claim(slot, generation, index, 5)).toBe(!isTaken);
        expect(main.take(slot, generation, index)).toBe(false);
        expect(main.current(slot)).toEqual(isTaken ? undefined : { index, startedMs: 5 });
        worker.finish(slot, generation, index);
        expect(main.current(slot)).toBeUndefined();
        expect(worker.claim(slot, generation, index, 6)).toBe(false);
      }
    }),
  );
});

test('what was meant for one batch does not touch the next one in its slot', () => {
  fc.assert(
    fc.property(anySlot, anyGeneration, anyGeneration, (slot, before, after) => {
      fc.pre(before !== after);
      const { main, worker } = pair();
      main.open(slot, before, 2);
      expect(worker.claim(slot, before, 0, 5)).toBe(true);
      main.open(slot, after, 2);
      worker.finish(slot, before, 0);
      worker.answer(slot, before);
      expect(worker.claim(slot, before, 1, 5)).toBe(false);
      expect(main.answered(slot, after)).toBe(false);
      expect(worker.claim(slot, after, 0, 7)).toBe(true);
      expect(main.current(slot)).toEqual({ index: 0, startedMs: 7 });
    }),
  );
});

test('a request reaches the worker of its slot, an answer wakes the main thread, and neither touches another slot', async () => {
  const { main, worker } = pair();
  const waiting = main.nextAnswer(main.answers);
  expect(waiting).toBeDefined();
  main.request(1, 7, false);
  expect(worker.awaitRequest(1, 0)).toBe(7);
  main.request(1, 8, true);
  expect(worker.awaitRequest(1, 7)).toBe(-8);
  expect([0, 2].map((slot) => worker.requested(slot))).toEqual([0, 0]);
  worker.answer(1, 8);
  await waiting;
  expect([0, 1, 2].map((slot) => main.answered(slot, 8))).toEqual([false, true, false]);
  expect(main.nextAnswer(0)).toBeUndefined();
});

test('a worker that waits for a reply waits on when it is woken by the notification of an earlier one', async () => {
  const main = new Control(SLOTS);
  const url = JSON.stringify(new URL('./control.ts', import.meta.url).href);
  const code = `const { parentPort, workerData } = require('node:worker_threads');
    import(${url}).then(({ Control }) => {
      const control = new Control(workerData);
      control.awaitReply(1, 0);
      parentPort.postMessage(control.replies(1));
    });`;
  const worker = new Worker(code, { eval: true, workerData: main.buffer });
  const seen: number[] = [];
  worker.on('message', (replies: number) => seen.push(replies));
  const words = new Int32Array(main.buffer);
  // Woken a second time, it has gone back to wait after the first.
  for (let woken = 0; woken < 2 && seen.length === 0;) {
    for (let at = 0; at < words.length; at++) woken += Atomics.notify(words, at);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  main.reply(1);
  await once(worker, 'exit');
  expect(seen).toEqual([1]);
});
