import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SendBudget } from './budget.ts';

const never = new AbortController().signal;

test('never more is given out than there is, and in the end everybody was served', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 120 }), rank: fc.nat(5) })),
      async (requests) => {
        const budget = new SendBudget<number>(100, (a, b) => a < b);
        let served = 0;
        await Promise.all(
          requests.map(async ({ bytes, rank }) => {
            await budget.take(bytes, rank, never);
            // A request larger than everything is let through alone.
            expect(budget.usedBytes <= 100 || budget.usedBytes === bytes).toBe(true);
            await Promise.resolve();
            budget.give(bytes);
            served++;
          }),
        );
        expect(served).toBe(requests.length);
        expect(budget.usedBytes).toBe(0);
      },
    ),
  );
});

test('under contention who owes less goes first, and who waits longest is not starved', async () => {
  const budget = new SendBudget<number>(1, (a, b) => a < b);
  await budget.take(1, 0, never);
  const order: number[] = [];
  const waiting = [9, 1, 1, 1, 1, 1, 1].map(async (debt) => {
    await budget.take(1, debt, never);
    order.push(debt);
    budget.give(1);
  });
  budget.give(1);
  await Promise.all(waiting);
  expect(order.indexOf(9)).toBeLessThan(5);
  expect(order.filter((debt) => debt === 1)).toHaveLength(6);
});

test('who goes away while waiting takes nothing with it', async () => {
  const budget = new SendBudget<number>(10, (a, b) => a < b);
  await budget.take(10, 0, never);
  const gone = new AbortController();
  const waiting = budget.take(5, 0, gone.signal);
  gone.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  budget.give(10);
  expect(budget.usedBytes).toBe(0);
  expect(budget.waiting).toBe(0);
});
