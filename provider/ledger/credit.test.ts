import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { TOTAL_BYTES_MAX } from './amounts.ts';
import { earnedCredit, gainOf, waitMsFor } from './credit.ts';
import { defaultPolicy, makePolicy } from './policy.ts';

const rate = fc.integer({ min: 1, max: 2 ** 40 });
const amount = fc.maxSafeNat().map((n) => n % TOTAL_BYTES_MAX);
const elapsed = fc.nat(10 * 366 * 86_400_000);

describe('the refresh of credit', () => {
  test('is elapsed time times rate, rounded down, and never more than is wanted', () => {
    fc.assert(
      fc.property(elapsed, rate, amount, (elapsedMs, bytesPerSecond, wanted) => {
        const { gain } = gainOf(elapsedMs, bytesPerSecond, wanted);
        const exact = (BigInt(elapsedMs) * BigInt(bytesPerSecond)) / 1000n;
        const expected = exact < BigInt(wanted) ? exact : BigInt(wanted);
        expect(BigInt(gain)).toBe(expected);
      }),
    );
  });

  test('uses no more time than has passed, and enough of it for what it gave', () => {
    fc.assert(
      fc.property(elapsed, rate, amount, (elapsedMs, bytesPerSecond, wanted) => {
        const { gain, usedMs } = gainOf(elapsedMs, bytesPerSecond, wanted);
        expect(usedMs).toBeLessThanOrEqual(elapsedMs);
        expect(BigInt(usedMs) * BigInt(bytesPerSecond)).toBeGreaterThanOrEqual(BigInt(gain) * 1000n);
      }),
    );
  });

  test('gives nothing extra to whoever asks often, and loses less than a millisecond and a byte each time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(5_000), { maxLength: 50 }),
        fc.integer({ min: 1, max: 2 ** 24 }),
        (steps, bytesPerSecond) => {
          const wanted = TOTAL_BYTES_MAX;
          let nowMs = 0;
          let usedMs = 0;
          let total = 0;
          for (const step of steps) {
            nowMs += step;
            const gained = gainOf(nowMs - usedMs, bytesPerSecond, wanted);
            usedMs += gained.usedMs;
            total += gained.gain;
          }
          const once = gainOf(nowMs, bytesPerSecond, wanted).gain;
          expect(total).toBeLessThanOrEqual(once);
          expect(once - total).toBeLessThanOrEqual(steps.length * Math.ceil(bytesPerSecond / 1000) + 1);
        },
      ),
    );
  });

  test('even a rate below one byte per millisecond arrives, however often it is asked for', () => {
    let usedMs = 0;
    let total = 0;
    for (let nowMs = 1; nowMs <= 10_000; nowMs++) {
      const gained = gainOf(nowMs - usedMs, 7, 1_000);
      usedMs += gained.usedMs;
      total += gained.gain;
    }
    expect(total).toBe(69);
  });

  test('backward time gives nothing', () => {
    expect(gainOf(-1, 1_000_000, 1_000)).toEqual({ gain: 0, usedMs: 0 });
  });

  test('waiting as long as announced is enough, and a millisecond less is not', () => {
    fc.assert(
      fc.property(rate, amount, (bytesPerSecond, bytes) => {
        // Beyond 30,000 years a millisecond does not matter.
        fc.pre(bytes / bytesPerSecond < 2 ** 40);
        const waitMs = waitMsFor(bytes, bytesPerSecond);
        expect(BigInt(waitMs) * BigInt(bytesPerSecond)).toBeGreaterThanOrEqual(BigInt(bytes) * 1000n);
        expect(BigInt(waitMs - 1) * BigInt(bytesPerSecond)).toBeLessThan(BigInt(bytes) * 1000n);
      }),
    );
  });
});

describe('earned credit', () => {
  test('is exact up to the cap for every total', () => {
    fc.assert(
      fc.property(amount, fc.nat(100), (recv, growthPercent) => {
        const policy = makePolicy({ growthPercent });
        const exact = (BigInt(recv) * BigInt(growthPercent)) / 100n;
        const cap = BigInt(policy.limitBytesMax - policy.newcomerLineBytes);
        expect(BigInt(earnedCredit(policy, recv))).toBe(exact < cap ? exact : cap);
      }),
    );
  });

  test('never shrinks by giving more', () => {
    fc.assert(
      fc.property(amount, amount, (one, two) => {
        const [less, more] = one < two ? [one, two] : [two, one];
        expect(earnedCredit(defaultPolicy, less)).toBeLessThanOrEqual(earnedCredit(defaultPolicy, more));
      }),
    );
  });
});

describe('a credit policy', () => {
  test.each([
    [{ newcomerLineBytes: -1 }, 'newcomerLineBytes'],
    [{ refreshBytesPerSecond: 0.5 }, 'refreshBytesPerSecond'],
    [{ growthPercent: 101 }, 'growthPercent'],
    [{ newcomerLineBytes: 10, limitBytesMax: 5 }, 'limitBytesMax'],
    [{ newComerLine: 5 } as object, 'newComerLine'],
    [{ allow: 'everybody' as unknown as string[] }, 'allow'],
    [{ overrides: { a: 'banned' as 'blocked' } }, 'overrides.a'],
    [{ overrides: { a: { limitBytes: Number.NaN } } }, 'overrides.a.limitBytes'],
    [{ overrides: { a: { limit: 5 } as object } }, 'overrides.a.limit'],
  ])('%o is refused by name', (changes, field) => {
    expect(() => makePolicy(changes)).toThrow(
      expect.objectContaining({ code: 'INVALID_POLICY', message: expect.stringContaining(field) }),
    );
  });
});
