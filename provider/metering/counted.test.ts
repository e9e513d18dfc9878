import { describe, expect, test } from 'vitest';
import { passArithmetic, payableInAdvance } from './counted.ts';
import { defaultLimits } from './limits.ts';
import { meter } from './meter.ts';
import { parseModule } from './parse.ts';
import { makePlan } from './plan.ts';
import { Scanner } from './scan.ts';
import { compareWithReference } from './testing/compare.ts';
import { runMetered } from './testing/run.ts';
import { wat } from './testing/wat.ts';

/**
 * Goal: a loop that is paid before it starts costs what it would cost pass by pass, whatever it counts from, to and by. Method: all forms
 * by all steps by all pairs of boundary values; few passes are run against the naive reference, many are stopped in the first pass,
 * when they are paid already, and what was paid is compared with the passes found another way.
 */
const boundaries = [0, 1, 2, 7, 8, 100, 2 ** 31 - 2, 2 ** 31 - 1, -(2 ** 31), 1 - 2 ** 31, -8, -2, -1];
const steps = [1, -1, 2, -2, 3, -3, 4, 12, 24, -24, 2 ** 16, 1431655765, 2 ** 31 - 1, 1 - 2 ** 31, -(2 ** 31)];
const passesRun = 200;
const plenty = 1n << 60n;
const word = 1n << 32n;

interface Form {
  name: string;
  bound: 'local' | 'constant' | 'zero';
  test: (next: string, bound: string) => string;
}

const forms: Form[] = [
  { name: 'count != local', bound: 'local', test: (next, bound) => `(i32.ne ${next} ${bound})` },
  { name: 'local != count', bound: 'local', test: (next, bound) => `(i32.ne ${bound} ${next})` },
  { name: 'count != constant', bound: 'constant', test: (next, bound) => `(i32.ne ${next} ${bound})` },
  { name: 'constant != count', bound: 'constant', test: (next, bound) => `(i32.ne ${bound} ${next})` },
  { name: 'count', bound: 'zero', test: (next) => next },
];

function loop(form: Form, step: number, constant: number, down: boolean): Uint8Array {
  const amount = `(i32.const ${down ? -step | 0 : step})`;
  const next = `(local.tee $i (i32.${down ? 'sub' : 'add'} (local.get $i) ${amount}))`;
  const bound = form.bound === 'local' ? '(local.get $n)' : `(i32.const ${constant})`;
  return wat(`(module (func (export "run") (param $i i32) (param $n i32) (param $stop i32) (result i32) (local $sum i32)
    (loop $l
      (if (local.get $stop) (then (unreachable)))
      (local.set $sum (i32.add (local.get $sum) (i32.mul (local.get $i) (i32.const 7))))
      (br_if $l ${form.test(next, bound)}))
    (local.get $sum)))`);
}

function countedLoops(bytes: Uint8Array): number {
  const module = parseModule(bytes, defaultLimits);
  const scanner = new Scanner(module, defaultLimits, true);
  const facts = module.bodies.map((body, index) =>
    scanner.scan(body, module.functions[module.imports.length + index] as number),
  );
  const plan = makePlan(module, scanner.events, facts, true, defaultLimits);
  return payableInAdvance(scanner.loops.found, scanner.events, plan).size;
}

/** The least number of steps, at least 1, from `i` to `n` in 32 bits, by the extended Euclidean algorithm; undefined for never. */
function passesOf(i: number, n: number, step: number): bigint | undefined {
  const distance = BigInt.asUintN(32, BigInt(n) - BigInt(i));
  let [a, b, x, y] = [BigInt.asUintN(32, BigInt(step)), word, 1n, 0n];
  while (b !== 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  if (distance % a !== 0n) return undefined;
  const period = word / a;
  const passes = ((((distance / a) * x) % period) + period) % period;
  return passes === 0n ? period : passes;
}

test('the passes by the other way are those of a loop that counts', () => {
  for (const step of [1, -1, 2, 3, -24, 2 ** 31 - 1, -(2 ** 31)]) {
    for (let passes = 1; passes <= 50; passes++) {
      let at = 5;
      let first = 0;
      const end = (5 + passes * step) | 0;
      do {
        at = (at + step) | 0;
        first++;
      } while (at !== end);
      expect(passesOf(5, end, step)).toBe(BigInt(first));
    }
  }
});

test('an odd step times its inverse is one', () => {
  for (const step of steps) {
    const { zeros, inverse } = passArithmetic(step);
    expect(Math.imul(step >> zeros, inverse)).toBe(1);
    expect(Math.imul(step >> zeros, 2 ** zeros) | 0).toBe(step);
  }
});

describe.each(forms)('a loop that goes round while $name', (form) => {
  const constants = form.bound === 'local' ? [0] : form.bound === 'zero' ? [0] : boundaries;

  test.each(steps)('costs what its passes cost, by steps of %i', (step) => {
    let run = 0;
    let stopped = 0;
    let endless = 0;
    for (const constant of constants) {
      const bytes = loop(form, step, constant, constant % 2 === 0);
      expect(countedLoops(bytes)).toBe(1);
      const module = new WebAssembly.Module(meter(bytes).bytes as Uint8Array<ArrayBuffer>);
      /** Fuel left when the first pass traps. */
      const paidFor = (i: number, n: number): bigint | undefined => {
        const { exports } = new WebAssembly.Instance(module);
        const fuel = exports['workswap_fuel'] as WebAssembly.Global<'i64'>;
        fuel.value = plenty;
        expect(() => (exports['run'] as (...args: number[]) => number)(i, n, 1)).toThrow('unreachable');
        return fuel.value < 0n ? undefined : fuel.value;
      };
      const ends = form.bound === 'local' ? boundaries : [constant];
      const calls: { name: string; args: number[] }[] = [];
      for (const n of ends) {
        const once = paidFor((n - step) | 0, n) as bigint;
        const each = once - (paidFor((n - 2 * step) | 0, n) as bigint);
        for (const i of [...boundaries, (n - 3 * step) | 0]) {
          const passes = passesOf(i, n, step);
          const left = paidFor(i, n);
          expect(left).toBe(passes === undefined ? undefined : once - (passes - 1n) * each);
          if (passes === undefined) {
            endless++;
            expect(runMetered(module, 'run', [i, n, 0], plenty).kind).toBe('outOfFuel');
          } else if (passes <= passesRun) calls.push({ name: 'run', args: [i, n, 0] });
          else stopped++;
        }
      }
      for (const fuelInParameters of [true, false]) {
        const { differences, completed } = compareWithReference(bytes, calls, 1_000_000n, { fuelInParameters });
        expect(differences).toEqual([]);
        run += completed;
      }
    }
    expect(run).toBeGreaterThan(0);
    expect(stopped + endless).toBeGreaterThan(0);
  });
});

describe('what is not known beforehand is paid pass by pass', () => {
  const tail = '(br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))';
  test.each([
    ['the count is written elsewhere', `(loop $l (local.set $i (i32.or (local.get $i) (i32.const 1))) ${tail})`],
    [
      'the bound is written',
      `(loop $l (if (i32.eq (local.get $i) (i32.const 3)) (then (local.set $n (i32.const 9)))) ${tail})`,
    ],
    [
      'the count is its own bound',
      '(loop $l (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $i))))',
    ],
    [
      'another local counts',
      '(loop $l (br_if $l (i32.ne (local.tee $i (i32.add (local.get $j) (i32.const 1))) (i32.const 1))))',
    ],
    [
      'another branch goes round',
      `(loop $l (local.set $j (i32.add (local.get $j) (i32.const 1))) (br_if $l (i32.lt_u (local.get $j) (i32.const 5))) ${tail})`,
    ],
    [
      'a branch table goes round',
      `(loop $l (block $b (local.set $j (i32.add (local.get $j) (i32.const 1))) (br_table $b $l $b (local.get $j))) ${tail})`,
    ],
    ['a branch leaves', `(block $out (loop $l (br_if $out (i32.eq (local.get $i) (i32.const 4))) ${tail}))`],
    ['it returns', `(loop $l (if (i32.eq (local.get $i) (i32.const 4)) (then (return (i32.const 5)))) ${tail})`],
    [
      'a loop is in it',
      `(loop $l (local.set $j (i32.const 3)) (loop $m (br_if $m (local.tee $j (i32.sub (local.get $j) (i32.const 2))) )) ${tail})`,
      1,
    ],
    ['it goes round from a block', `(loop $l (block $b (br_if $b (i32.eq (local.get $i) (i32.const 2))) ${tail}))`],
    ['memory grows in it', `(loop $l (drop (memory.grow (i32.const 0))) ${tail})`],
    ['memory is filled in it', `(loop $l (memory.fill (i32.const 0) (i32.const 1) (local.get $i)) ${tail})`],
    [
      'it counts by nothing',
      '(loop $l (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 0))) (local.get $n))))',
    ],
  ])('when %s', (_, code, counted = 0) => {
    const bytes = wat(`(module (memory 1) (func (export "run") (param $i i32) (param $n i32) (result i32) (local $j i32)
      ${code} (i32.add (local.get $i) (local.get $j))))`);
    expect(countedLoops(bytes)).toBe(counted);
    const calls = [0, 1, 3, 8].flatMap((i) => [1, 5, 7, 9].map((n) => ({ name: 'run', args: [i, n] })));
    for (const fuelInParameters of [true, false]) {
      const { differences } = compareWithReference(bytes, calls, 200_000n, { fuelInParameters });
      expect(differences).toEqual([]);
    }
  });

  test.each([
    ['by br_if', '(br_if $trap (i32.gt_u (local.get $i) (i32.const 6)))'],
    ['by br', '(if (i32.gt_u (local.get $i) (i32.const 6)) (then (local.set $j (i32.const 5)) (br $trap)))'],
  ])('but a way out to a trap, %s, leaves the passes known', (_, exit) => {
    const bytes = wat(`(module (memory 1) (func (export "run") (param $i i32) (param $n i32) (result i32) (local $j i32)
      (block $trap (loop $l ${exit} (local.set $j (i32.xor (local.get $j) (local.get $i))) ${tail}) (return (local.get $j)))
      (i32.store (i32.const 8) (local.get $i)) (unreachable)))`);
    expect(countedLoops(bytes)).toBe(1);
    const calls = [0, 1, 3, 8].flatMap((i) => [1, 5, 7, 9].map((n) => ({ name: 'run', args: [i, n] })));
    for (const fuelInParameters of [true, false]) {
      const { differences, completed, trapped } = compareWithReference(bytes, calls, 200_000n, { fuelInParameters });
      expect(differences).toEqual([]);
      expect(completed).toBeGreaterThan(3);
      expect(trapped).toBeGreaterThan(3);
    }
  });

  test('a dear way through the body cannot be taken over and over on credit', () => {
    const dear = '(local.set $j (i32.div_u (local.get $n) (i32.or (local.get $j) (i32.const 1))))'.repeat(20);
    const bytes = wat(`(module (func (export "run") (param $i i32) (param $n i32) (result i32) (local $j i32)
      (loop $l (if (local.get $n) (then ${dear})) ${tail}) (local.get $j)))`);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(meter(bytes).bytes as Uint8Array<ArrayBuffer>));
    const fuel = exports['workswap_fuel'] as WebAssembly.Global<'i64'>;
    fuel.value = 5000n;
    expect(() => (exports['run'] as (i: number, n: number) => number)(0, 100)).toThrow('unreachable');
    expect(fuel.value).toBeLessThan(0n);
    expect(fuel.value).toBeGreaterThan(-1000n);
  });
});
