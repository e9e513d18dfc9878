import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { price, type TariffRates } from '../../../sdk/protocol/tariff.ts';
import { execute } from '../execute.ts';
import { createNodeHost } from '../node-host.ts';
import { jobOf, loadHandler } from '../testing/modules.ts';
import type { JobSpec, Outcome } from '../types.ts';

const FILE = new Uint8Array(100_000);
const host = createNodeHost({
  readFile: (_, offset, length) => FILE.slice(offset, offset + length),
  fileSize: () => FILE.length,
});

/** Reads, writes, grows and computes as its input's four numbers say. */
const worker = loadHandler({
  imports: ['input_read', 'block_read'],
  fields: `(data (i32.const 1000) "\\01\\55\\12\\20") (global $i (mut i32) (i32.const 0))`,
  body: `(drop (call $input_read (i32.const 64) (i32.const 0) (i32.const 16)))
    (drop (memory.grow (i32.load (i32.const 64))))
    (call $ok)
    (loop $l
      (drop (call $block_read (i32.const 1000) (i32.const 36) (i64.const 0) (i32.const 2000) (i32.load (i32.const 68))))
      (call $output_write (i32.const 2000) (i32.load (i32.const 72)))
      (global.set $i (i32.add (global.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (global.get $i) (i32.load (i32.const 76)))))`,
});

const rate = fc.integer({ min: 0, max: 1_000_000 });
const rates: fc.Arbitrary<TariffRates> = fc.record({
  job: fc.integer({ min: 0, max: 1000 }),
  compile: rate,
  input: rate,
  output: rate,
  read: rate,
  write: rate,
  fuel: fc.integer({ min: 0, max: 1_000_000_000 }),
  memory: rate,
});
const numbers = fc.tuple(
  fc.integer({ min: 0, max: 20 }),
  fc.integer({ min: 0, max: 5000 }),
  fc.integer({ min: 0, max: 5000 }),
  fc.integer({ min: 1, max: 20 }),
);

function priceOf(outcome: Outcome, { input }: JobSpec, tariff: TariffRates, compiledBytes: number): number {
  const { outputBytes, readBytes, writtenBytes, fuel, memoryPagesPeak } = outcome;
  return price(tariff, {
    compiledBytes,
    inputBytes: input.length,
    outputBytes,
    readBytes,
    writtenBytes,
    fuel,
    memoryPagesPeak,
  });
}

describe('a price limit', () => {
  test('is never exceeded, and never changes what a job that it buys does or burns', () => {
    fc.assert(
      fc.property(
        rates,
        numbers,
        fc.integer({ min: 0, max: 20_000_000 }),
        fc.nat(10_000),
        (tariff, asks, priceMax, compiledBytes) => {
          const input = new Uint8Array(Uint32Array.from(asks).buffer);
          const limits = { memoryPagesMax: 30, fuelMax: 1e9, outputBytesMax: 1e6 };
          const free = execute(jobOf(worker, { input, limits }), host);
          const limited = execute(
            jobOf(worker, { input, limits, budget: { rates: tariff, priceMax, compiledBytes } }),
            host,
          );
          const job = jobOf(worker, { input, limits });
          const least = price(tariff, {
            compiledBytes,
            inputBytes: 16,
            outputBytes: 0,
            readBytes: 0,
            writtenBytes: 0,
            fuel: 0,
            memoryPagesPeak: 0,
          });
          if (least > priceMax) {
            expect(limited).toMatchObject({ error: { code: 'PRICE_EXCEEDED', fault: 'consumer' }, fuel: 0 });
            return;
          }
          expect(priceOf(limited, job, tariff, compiledBytes)).toBeLessThanOrEqual(priceMax);
          if (limited.error === undefined) {
            expect({ ...limited, elapsedMs: 0 }).toEqual({ ...free, elapsedMs: 0 });
          } else {
            expect(limited.error.code).toBe('PRICE_EXCEEDED');
            expect(limited.fuel).toBeLessThanOrEqual(free.fuel);
            expect(Buffer.compare(limited.body, free.body.subarray(0, limited.body.length))).toBe(0);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('that is exactly the price is enough when memory is counted as it is', () => {
    const tariff: TariffRates = {
      job: 7,
      compile: 0,
      input: 3,
      output: 11,
      read: 5,
      write: 5,
      fuel: 1_000_000,
      memory: 0,
    };
    const input = new Uint8Array(Uint32Array.from([2, 1000, 1000, 5]).buffer);
    const free = execute(jobOf(worker, { input }), host);
    const job = jobOf(worker, { input });
    const exact = priceOf(free, job, tariff, 0);
    const run = (priceMax: number): Outcome =>
      execute({ ...job, budget: { rates: tariff, priceMax, compiledBytes: 0 } }, host);
    expect(run(exact).error).toBeUndefined();
    expect(run(exact - 1).error?.code).toBe('PRICE_EXCEEDED');
  });
});
