import { expect, test } from 'vitest';
import { SETUP_FREE, SETUP_PRICES } from '../abi/prices.ts';
import { createNodeHost } from '../node-host.ts';
import { jobOf, loadHandler } from '../testing/modules.ts';
import { Engine } from './engine.ts';
import { InstanceCache } from './instance-cache.ts';

/** Goal: what it takes to set an instance up is paid for, by a rule that gives the same everywhere. */
const engine = (): Engine => new Engine(createNodeHost(), new InstanceCache(1 << 30));
const plain = loadHandler();
const plainFuel = engine().run(jobOf(plain)).fuel;

/** Ten pages, ten thousand entries in tables: the rest is as in every handler. */
const dear = loadHandler({ memory: '11', fields: '(table 6000 funcref) (table 4000 funcref)' });
const setupOfPlain = SETUP_PRICES.memoryPages + 2 * SETUP_PRICES.exports + 25 * SETUP_PRICES.dataBytes;
const setupOfDear = setupOfPlain + 10 * SETUP_PRICES.memoryPages + 10_000 * SETUP_PRICES.tableEntries;

test('setting up an ordinary handler is in the job’s fixed price', () => {
  expect(setupOfPlain).toBeLessThan(SETUP_FREE);
  expect(plain.setupFuel).toBe(0);
});

test('a dear one burns the difference, in a new instance as in one that is used again', () => {
  expect(dear.setupFuel).toBe(setupOfDear - SETUP_FREE);
  const used = engine();
  for (let i = 0; i < 3; i++) expect(used.run(jobOf(dear)).fuel).toBe(plainFuel + dear.setupFuel);
});

test('segments, globals and exports count as well', () => {
  const each = (fields: string): number =>
    loadHandler({ memory: '11', fields: `(table 10000 funcref) ${fields}` }).setupFuel;
  const without = each('');
  expect(each('(global i32 (i32.const 1)) (global i32 (i32.const 2))') - without).toBe(2 * SETUP_PRICES.globals);
  expect(each('(export "again" (func $ok))') - without).toBe(SETUP_PRICES.exports);
  // Flags, address (i32.const, 2 bytes, end), length and 9 bytes.
  expect(each('(data (i32.const 100) "some data")') - without).toBe(15 * SETUP_PRICES.dataBytes);
  // Flags, offset (i32.const, 1 byte, end), count and two functions.
  expect(each('(elem (i32.const 0) func $ok $ok)') - without).toBe(7 * SETUP_PRICES.elementBytes);
});

test('without fuel for it nothing is set up', () => {
  const outcome = engine().run(jobOf(dear, { limits: { fuelMax: dear.setupFuel - 1 } }));
  expect(outcome).toMatchObject({ error: { code: 'OUT_OF_FUEL' }, fuel: dear.setupFuel - 1, memoryPagesPeak: 0 });
  const just = engine().run(jobOf(dear, { limits: { fuelMax: dear.setupFuel + plainFuel } }));
  expect(just.error).toBeUndefined();
});

test('a price limit that does not buy it ends the job before anything is set up', () => {
  const rates = { job: 0, compile: 0, input: 0, output: 0, read: 0, write: 0, fuel: 1e9, memory: 0 };
  const outcome = engine().run(jobOf(dear, { budget: { rates, priceMax: dear.setupFuel - 10, compiledBytes: 0 } }));
  expect(outcome).toMatchObject({ error: { code: 'PRICE_EXCEEDED' }, memoryPagesPeak: 0 });
  expect(outcome.fuel).toBeLessThanOrEqual(dear.setupFuel - 10);
});

test('an instance that cannot be set up, because a segment does not fit, burns it too', () => {
  const module = loadHandler({ fields: '(table 10000 funcref) (data (i32.const 65536) "x")' });
  expect(engine().run(jobOf(module))).toMatchObject({ error: { code: 'TRAP' }, fuel: module.setupFuel });
  expect(module.setupFuel).toBeGreaterThan(0);
});
