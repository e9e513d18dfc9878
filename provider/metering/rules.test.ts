import { describe, expect, test } from 'vitest';
import { MeterError, meter } from './index.ts';
import type { MeteredModule } from './index.ts';
import { compareWithReference } from './testing/compare.ts';
import { runMetered } from './testing/run.ts';
import type { Outcome } from './testing/run.ts';
import { wat } from './testing/wat.ts';

const both = [true, false];

function compiled(metered: MeteredModule): WebAssembly.Module {
  return new WebAssembly.Module(metered.bytes as Uint8Array<ArrayBuffer>);
}

function run(
  source: string | Uint8Array,
  name: string,
  args: unknown[],
  fuel: bigint,
  fuelInParameters = true,
): Outcome {
  const bytes = typeof source === 'string' ? wat(source) : source;
  return runMetered(compiled(meter(bytes, { fuelInParameters })), name, args, fuel);
}

function refusal(bytes: Uint8Array): MeterError {
  try {
    meter(bytes);
  } catch (error) {
    if (error instanceof MeterError) return error;
    throw error;
  }
  throw new Error('not refused');
}

function bytesOf(...values: number[]): Uint8Array {
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...values]);
}

/** One function of type [] -> [], with this code. */
function withCode(...code: number[]): Uint8Array {
  const body = [0, ...code, 0x0b];
  return bytesOf(1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, body.length + 2, 1, body.length, ...body);
}

test('offsets of vector accesses may be written longer than they need be, as engines allow', () => {
  const type = [1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 0x66, 0, 0];
  const load = [0x41, 0, 0xfd, 0, 4, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0];
  const floats = [0x43, 0, 0, 0x80, 0x3f, 0x91, 0x43, 0, 0, 0x80, 0x3f, 0x98, 0x1a];
  const body = [0, ...floats, ...load, 0xfd, 0x53, 0x0b];
  const bytes = bytesOf(...type, 10, body.length + 2, 1, body.length, ...body);
  expect(run(bytes, 'f', [], 1000n)).toMatchObject({ kind: 'completed', results: 0 });
});

describe('what is refused', () => {
  test.each([
    ['a local one past the end, where the fuel would be', withCode(0x20, 0, 0x1a)],
    ['a global one past the end, where the fuel is', withCode(0x42, 0, 0x24, 0)],
    ['a branch one level past the function, where the wrapper is', withCode(0x0c, 1)],
    ['a number that never ends', withCode(0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x1a)],
    ['code after the end', withCode(0x0b, 0x01)],
  ])('%s stays invalid', (_, bytes) => {
    expect(refusal(bytes).code).toBe('INVALID_MODULE');
  });

  test('every truncation of a module is refused with a typed error', () => {
    const whole = wat('(module (memory 1) (func $f (export "f") (param i32) (result i32) (call $f (local.get 0))))');
    for (let length = 0; length < whole.length; length++) {
      const cut = whole.subarray(0, length);
      if (WebAssembly.validate(cut as Uint8Array<ArrayBuffer>)) continue;
      expect(['NOT_WASM', 'INVALID_MODULE', 'FEATURE_REFUSED']).toContain(refusal(cut).code);
    }
  });

  test.each([
    ['threads (a shared memory)', bytesOf(5, 4, 1, 3, 1, 1)],
    ['memory64', bytesOf(5, 3, 1, 4, 1)],
    ['several memories', bytesOf(5, 5, 2, 0, 1, 0, 1)],
    ['garbage collection', bytesOf(1, 3, 1, 0x5f, 0)],
    ['exceptions', bytesOf(13, 1, 0)],
    ['relaxed SIMD', withCode(0xfd, 0x80, 0x02, 0x1a)],
    ['threads', withCode(0xfe, 0x03, 0x00)],
    ['typed function references', withCode(0x14, 0)],
    ['an imported memory', wat('(module (import "a" "m" (memory 1)))')],
    ['an imported global', wat('(module (import "a" "g" (global i32)))')],
    ['an imported table', wat('(module (import "a" "t" (table 1 funcref)))')],
  ])('%s is refused by name with its offset', (feature, bytes) => {
    const error = refusal(bytes);
    expect(error).toMatchObject({ code: 'FEATURE_REFUSED', feature, fault: 'handler' });
    expect(error.offset).toBeGreaterThan(0);
  });

  test('a module that uses a reserved export is refused', () => {
    expect(refusal(wat('(module (func (export "workswap_fuel")))')).code).toBe('RESERVED_EXPORT');
  });

  test.each([
    ['memoryPagesMax', wat('(module (memory 2000))')],
    ['tableEntriesMax', wat('(module (table 10000000 funcref))')],
    ['localsPerFunctionMax', bytesOf(1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 1, 0xff, 0xff, 0x3f, 0x7f, 0x0b, 0)],
    ['nestingMax', withCode(...Array.from({ length: 25 }, () => [2, 0x40]).flat(), ...Array(25).fill(0x0b))],
  ])('more than %s is refused before the engine compiles it', (limit, bytes) => {
    const limits = limit === 'nestingMax' ? { nestingMax: 20 } : {};
    expect(() => meter(bytes, { limits })).toThrow(expect.objectContaining({ code: 'MODULE_LIMIT', limit }));
  });
});

test('a function that grows too large for engines by being metered is refused', () => {
  // Every copysign needs both operands made canonical.
  const body = [0, 0x20, 0, 0x91, ...Array.from({ length: 200_000 }, () => [0x20, 0, 0x98]).flat(), 0x0b];
  const size = (count: number) => [(count & 0x7f) | 0x80, ((count >> 7) & 0x7f) | 0x80, count >> 14];
  const head = [1, 6, 1, 0x60, 1, 0x7d, 1, 0x7d, 3, 2, 1, 0];
  const bytes = Uint8Array.from([...bytesOf(...head, 10, ...size(body.length + 4), 1, ...size(body.length)), ...body]);
  expect(WebAssembly.validate(bytes)).toBe(true);
  expect(refusal(bytes)).toMatchObject({ code: 'MODULE_LIMIT', limit: 'meteredBodyBytesMax' });
});

describe.each(both)('control flow, fuel in parameters: %s', (fuelInParameters) => {
  const endless: [string, string][] = [
    ['an outer loop where only an inner branch goes round', '(loop (loop (br 1)))'],
    ['an empty loop', '(loop (br 0))'],
    ['a loop of conditions', '(loop (br_if 0 (i32.const 1)))'],
    ['a loop by the default of a table', '(block (loop (br_table 1 0 (i32.const 7))))'],
    ['a loop by an entry of a table', '(loop (block (br_table 1 0 (i32.const 0))))'],
    ['a loop behind an if without an else', '(loop (if (i32.const 0) (then (return))) (br 0))'],
    ['a loop that a block is left into', '(loop (block (br_if 0 (i32.const 1))) (br 0))'],
    ['a loop behind unreachable code', '(loop (block (br 0) (unreachable)) (br 0))'],
  ];
  test.each(endless)('%s runs out of fuel', (_, code) => {
    expect(run(`(module (func (export "f") ${code}))`, 'f', [], 1_000_000n, fuelInParameters).kind).toBe('outOfFuel');
  });

  test.each([
    ['recursion by tail calls', '(module (func $f (export "f") (return_call $f)))'],
    [
      'recursion through a table',
      '(module (table 1 funcref) (elem (i32.const 0) $f) (type $t (func)) (func $f (export "f") (return_call_indirect (type $t) (i32.const 0))))',
    ],
    ['a start function', '(module (func $s (loop (br 0))) (start $s) (func (export "f")))'],
    [
      'calls that double and double',
      `(module ${Array.from({ length: 60 }, (_, i) => `(func $f${i} ${i === 0 ? '(nop)' : `(call $f${i - 1}) (call $f${i - 1})`})`).join('')} (func (export "f") (call $f59)))`,
    ],
    [
      'filling memory for ever',
      '(module (memory 128) (func (export "f") (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 8388608)) (br 0))))',
    ],
  ])('%s runs out of fuel', (_, text) => {
    expect(run(text, 'f', [], 100_000n, fuelInParameters).kind).toBe('outOfFuel');
  });

  test('recursion is stopped at a depth of its own, and told apart from other traps', () => {
    const text =
      '(module (func $f (export "f") (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0)))))';
    expect(run(text, 'f', [1000], 1n << 40n, fuelInParameters)).toMatchObject({ kind: 'completed', results: 1000 });
    expect(run(text, 'f', [100_000], 1n << 40n, fuelInParameters).kind).toBe('tooDeep');
  });

  test('a chain of calls without recursion cannot overflow the stack either', () => {
    const links = 5_000;
    const functions = Array.from(
      { length: links },
      (_, i) =>
        `(func $f${i} (result i32) (local i64 i64 i64 i64 i64 i64) ${i + 1 < links ? `(i32.add (i32.const 1) (call $f${i + 1}))` : '(memory.grow (i32.const 0))'})`,
    ).join('');
    const text = `(module (memory 1) ${functions} (func (export "f") (result i32) (call $f0)))`;
    expect(run(text, 'f', [], 1n << 40n, fuelInParameters).kind).toBe('tooDeep');
  });

  test("a handler's own trap leaves fuel, and so is not taken for the end of fuel", () => {
    expect(run('(module (func (export "f") (unreachable)))', 'f', [], 100n, fuelInParameters).kind).toBe('trapped');
  });

  test('memory grows within the limit of the job, answers -1 beyond it, and pages cost', () => {
    const text =
      '(module (memory (export "memory") 1) (func (export "f") (param i32) (result i32) (memory.grow (local.get 0))))';
    const module = compiled(meter(wat(text), { fuelInParameters }));
    const { exports } = new WebAssembly.Instance(module);
    const fuel = exports['workswap_fuel'] as WebAssembly.Global<'i64'>;
    const pagesMax = exports['workswap_memory_pages_max'] as WebAssembly.Global<'i32'>;
    const grow = exports['f'] as (pages: number) => number;
    fuel.value = 10_000_000n;
    pagesMax.value = 3;
    expect([grow(2), grow(1), grow(-1)]).toEqual([1, -1, -1]);
    const before = fuel.value;
    pagesMax.value = 10;
    expect(grow(4)).toBe(3);
    expect(before - fuel.value).toBeGreaterThan(4n * 16_384n);
  });

  test('functions in tables are called with exact fuel, imports among them', () => {
    const bytes =
      wat(`(module (import "env" "h" (func $h (param i32) (result i32))) (table 3 funcref) (elem (i32.const 0) $h $leaf $deep)
      (type $t (func (param i32) (result i32)))
      (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
      (func $deep (param i32) (result i32) (if (result i32) (local.get 0) (then (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 2))) (else (call $h (i32.const 5)))))
      (func (export "f") (param i32) (result i32) (call_indirect (type $t) (i32.const 10) (local.get 0))))`);
    const calls = [0, 1, 2, 3].map((index) => ({ name: 'f', args: [index] }));
    const outcome = compareWithReference(bytes, calls, 100_000n, { fuelInParameters });
    expect(outcome).toMatchObject({ differences: [], completed: 3, trapped: 1 });
  });
});

test.each(both)(
  'a reference to a function that nothing but its export declares (fuel in parameters: %s)',
  (fuelInParameters) => {
    const types = [1, 8, 2, 0x60, 0, 0, 0x60, 0, 1, 0x7f];
    const exports = [7, 9, 2, 1, 0x67, 0, 0, 1, 0x68, 0, 1];
    const code = [10, 10, 2, 2, 0, 0x0b, 5, 0, 0xd2, 0, 0xd1, 0x0b];
    const metered = meter(bytesOf(...types, 3, 3, 2, 0, 1, ...exports, ...code), { fuelInParameters });
    expect(runMetered(compiled(metered), 'h', [], 100n)).toMatchObject({ kind: 'completed', results: 0 });
  },
);

test('a start function runs when the host says so, under fuel', () => {
  const metered = meter(
    wat(
      '(module (global $g (mut i32) (i32.const 0)) (func $s (global.set $g (i32.const 7))) (start $s) (func (export "f") (result i32) (global.get $g)))',
    ),
  );
  expect(metered.hasStart).toBe(true);
  expect(runMetered(compiled(metered), 'f', [], 100n)).toMatchObject({ kind: 'completed', results: 7 });
});

test('reset gives globals their first values again', () => {
  const metered = meter(
    wat(
      '(module (global $g (mut i64) (i64.const 5)) (func (export "f") (result i64) (global.set $g (i64.add (global.get $g) (i64.const 1))) (global.get $g)))',
    ),
  );
  expect(metered.resettable).toBe(true);
  const { exports } = new WebAssembly.Instance(compiled(metered));
  (exports['workswap_fuel'] as WebAssembly.Global<'i64'>).value = 1000n;
  const f = exports['f'] as () => bigint;
  expect([f(), f()]).toEqual([6n, 7n]);
  (exports['workswap_reset'] as () => void)();
  expect(f()).toBe(6n);
});

test.each([
  [
    'table.set',
    '(module (table $t 1 funcref) (func (export "f") (table.set $t (i32.const 0) (table.get $t (i32.const 0)))))',
  ],
  ['data.drop', '(module (memory 1) (data $d "abc") (func (export "f") (data.drop $d)))'],
  ['an exported table', '(module (table (export "t") 1 funcref) (func (export "f")))'],
])('an instance is not to be used again after %s', (_, text) => {
  expect(meter(wat(text)).resettable).toBe(false);
});

test('fuel stays out of signatures where a function could cross the border', () => {
  const metered = meter(
    wat(
      '(module (table (export "t") 1 funcref) (elem (i32.const 0) $f) (func $f (export "f") (param i32) (result i32) (loop (br_if 0 (local.get 0))) (local.get 0)))',
    ),
  );
  const { exports } = new WebAssembly.Instance(compiled(metered));
  const fromTable = (exports['t'] as WebAssembly.Table).get(0) as (value: number) => number;
  expect(fromTable.length).toBe(1);
  expect(() => fromTable(1)).toThrow(WebAssembly.RuntimeError);
  expect((exports['workswap_fuel'] as WebAssembly.Global<'i64'>).value).toBeLessThan(0n);
});
