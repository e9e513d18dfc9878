/**
 * Loops that burn as much time for as little fuel as we know how: each operation in a chain where the next waits for its
 * answer, with operands that make it slow, and storms of what is done outside of the code. As WebAssembly text; every module
 * exports `run(rounds)`, and `prepare()` where something has to be set up first.
 */
export interface DearLoop {
  name: string;
  text: string;
  /** Its time is that of memory far from the processor: no price of one load fits both it and ordinary loads. */
  missesCaches?: boolean;
}

const unrolled = 32;

/** `around` puts the operation round what it works on; nothing but the operation itself stands in the chain. */
function chain(
  name: string,
  type: string,
  start: string,
  around: (x: string) => string,
  { fields = '', times = unrolled, more = '' } = {},
): DearLoop {
  let value = '(local.get $x)';
  for (let count = 0; count < times; count++) value = around(value);
  const memory = fields.includes('(memory') ? '' : '(memory 1)';
  const text = `(module ${memory} (table 256 funcref) (global $sink (mut ${type}) (${type}.const 0)) ${fields}
    (func (export "run") (param $n i32) (result ${type}) (local $x ${type}) (local $a i32) (local $b i64) (local $c f64) (local $d f32)
      (local.set $x (${type}.const ${start}))
      (local.set $a (i32.sub (i32.const 7) (i32.eqz (local.get $n))))
      (local.set $b (i64.extend_i32_u (local.get $a)))
      (local.set $c (f64.convert_i32_u (local.get $a)))
      (local.set $d (f32.convert_i32_u (local.get $a)))
      (loop $l
        (local.set $x ${value}) ${more}
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.get $x)))`;
  return { name, text };
}

/** Statements in a row instead of a chain. */
function storm(
  name: string,
  statement: (index: number) => string,
  { fields = '', times = unrolled, length = 0 } = {},
): DearLoop {
  const body = Array.from({ length: times }, (_, index) => statement(index)).join('\n');
  const memory = fields.includes('(memory') ? '' : '(memory 1)';
  const table = fields.includes('(table') ? '' : '(table 256 funcref)';
  const text = `(module ${fields.includes('(import') ? fields : ''} ${memory} ${table} ${fields.includes('(import') ? '' : fields}
    (func (export "run") (param $n i32) (result i32) (local $a i32) (local $length i32)
      (local.set $length (i32.sub (i32.const ${length}) (i32.eqz (local.get $n))))
      (loop $l ${body} (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.get $a)))`;
  return { name, text };
}

const nothing = '(func $f) (elem declare func $f)';
const big = '9000000000000000001';

const integers: DearLoop[] = [
  ...['div_u', 'div_s', 'rem_u', 'rem_s'].flatMap((op) => [
    // The answer is made large again, or the next division would be quick.
    chain(`i32.${op}`, 'i32', '2000000011', (x) => `(i32.${op} (i32.or ${x} (i32.const -1431655766)) (local.get $a))`),
    chain(`i64.${op}`, 'i64', big, (x) => `(i64.${op} (i64.or ${x} (i64.const -6148914691236517206)) (local.get $b))`),
  ]),
  chain('i32.mul', 'i32', '3', (x) => `(i32.mul ${x} (local.get $a))`),
  chain('i64.mul', 'i64', '3', (x) => `(i64.mul ${x} (local.get $b))`),
  chain('i64.add', 'i64', '3', (x) => `(i64.add ${x} (local.get $b))`),
  chain('i64.rotl', 'i64', '3', (x) => `(i64.rotl ${x} (local.get $b))`),
  chain('i64.shl', 'i64', '3', (x) => `(i64.shl ${x} (local.get $b))`),
  ...['clz', 'ctz', 'popcnt'].flatMap((op) => [
    chain(`i32.${op}`, 'i32', '77', (x) => `(i32.${op} ${x})`),
    chain(`i64.${op}`, 'i64', '77', (x) => `(i64.${op} ${x})`),
  ]),
  chain('i64.extend16_s', 'i64', '77', (x) => `(i64.extend16_s (i64.add ${x} (local.get $b)))`),
  chain('i64.lt_u', 'i64', '77', (x) => `(i64.extend_i32_u (i64.lt_u ${x} (local.get $b)))`),
  chain('select', 'i32', '77', (x) => `(select (local.get $n) ${x} (i32.and ${x} (local.get $a)))`, { times: 6 }),
];

const floats: DearLoop[] = [
  ...['add', 'mul', 'div', 'min', 'max', 'copysign'].flatMap((op) => [
    chain(`f64.${op}`, 'f64', '1.1', (x) => `(f64.${op} ${x} (local.get $c))`),
    chain(`f32.${op}`, 'f32', '1.1', (x) => `(f32.${op} ${x} (local.get $d))`),
  ]),
  ...['sqrt', 'ceil', 'nearest', 'abs', 'neg'].flatMap((op) => [
    chain(`f64.${op}`, 'f64', '1e300', (x) => `(f64.${op} ${x})`),
    chain(`f32.${op}`, 'f32', '1e30', (x) => `(f32.${op} ${x})`),
  ]),
  chain('f64.lt', 'f64', '1.5', (x) => `(f64.convert_i32_s (f64.lt ${x} (local.get $c)))`),
  // Numbers too small for the normal form, which some processors work on in microcode.
  chain('f64.mul, subnormal', 'f64', '4e-310', (x) => `(f64.mul ${x} (f64.const 0.9999999999999999))`),
  chain('f64.add, subnormal', 'f64', '4e-310', (x) => `(f64.add ${x} (f64.const -4e-320))`),
  chain('f64.div, subnormal', 'f64', '4e-310', (x) => `(f64.div ${x} (f64.const 1.0000000000000002))`),
  chain('f32.mul, subnormal', 'f32', '4e-40', (x) => `(f32.mul ${x} (f32.const 0.9999999))`),
  chain(
    'f64.sqrt, subnormal',
    'f64',
    '4e-310',
    (x) => `(f64.mul (f64.sqrt (f64.mul ${x} (f64.const 1e-310))) (f64.const 4e-310))`,
  ),
  chain('f64.convert_i64_u', 'i64', '77', (x) => `(i64.trunc_f64_u (f64.convert_i64_u ${x}))`, { times: 1 }),
  chain('f64.convert_i64_u, sat', 'i64', big, (x) => `(i64.trunc_sat_f64_u (f64.convert_i64_u ${x}))`),
  chain('f32.convert_i64_u, sat', 'i64', big, (x) => `(i64.trunc_sat_f32_u (f32.convert_i64_u ${x}))`),
  chain('f64.convert_i32_s', 'i32', '77', (x) => `(i32.trunc_f64_s (f64.convert_i32_s ${x}))`),
  chain('i32.trunc_sat_f64_u', 'i32', '77', (x) => `(i32.trunc_sat_f64_u (f64.convert_i32_u ${x}))`),
  chain('f32.demote, promote', 'f64', '1.1', (x) => `(f64.promote_f32 (f32.demote_f64 ${x}))`),
  chain('reinterpret', 'i64', big, (x) => `(i64.reinterpret_f64 (f64.reinterpret_i64 ${x}))`),
  chain('a stored NaN', 'f64', '1.1', (x) => `(f64.add ${x} (local.get $c))`, {
    times: 1,
    more: '(f64.store (i32.const 0) (f64.mul (local.get $x) (f64.const nan)))',
  }),
];

/** Each vector operation on the answer of the one before. */
const vectors: DearLoop[] = [
  ...[
    'i8x16.swizzle',
    'i64x2.mul',
    'i32x4.mul',
    'f64x2.div',
    'f32x4.div',
    'f64x2.add',
    'f64x2.min',
    'f32x4.max',
    'f64x2.pmin',
    'i16x8.q15mulr_sat_s',
    'i32x4.dot_i16x8_s',
    'i8x16.avgr_u',
    'i64x2.eq',
    'i64x2.gt_s',
    'i16x8.narrow_i32x4_u',
    'i64x2.extmul_high_i32x4_u',
    'i8x16.sub_sat_u',
    'f64x2.lt',
  ],
].map((op) => vector(op, (x) => `(${op} ${x} (local.get $w))`));
vectors.push(
  ...[
    'f64x2.sqrt',
    'f32x4.sqrt',
    'f64x2.nearest',
    'f32x4.ceil',
    'i8x16.popcnt',
    'i8x16.abs',
    'i64x2.abs',
    'f64x2.convert_low_i32x4_u',
    'i32x4.trunc_sat_f64x2_u_zero',
    'i32x4.trunc_sat_f32x4_u',
    'f32x4.convert_i32x4_u',
    'i32x4.trunc_sat_f32x4_s',
    'i16x8.extadd_pairwise_i8x16_s',
    'f64x2.promote_low_f32x4',
    'f32x4.demote_f64x2_zero',
  ].map((op) => vector(op, (x) => `(${op} ${x})`)),
  ...['i8x16.shl', 'i8x16.shr_s', 'i64x2.shr_s', 'i16x8.shl'].map((op) =>
    vector(op, (x) => `(${op} ${x} (local.get $a))`),
  ),
  ...['i8x16', 'i64x2'].flatMap((lanes) => [
    vector(`${lanes}.bitmask`, (x) => `(i32x4.splat (${lanes}.bitmask ${x}))`),
    vector(`${lanes}.all_true`, (x) => `(i32x4.splat (${lanes}.all_true ${x}))`),
  ]),
  vector('i8x16.shuffle', (x) => `(i8x16.shuffle 3 17 5 7 30 11 2 0 1 19 23 4 8 15 31 9 ${x} (local.get $w))`),
  vector('v128.bitselect', (x) => `(v128.bitselect ${x} (local.get $w) ${x})`, 6),
  vector('i8x16.replace_lane', (x) => `(i8x16.replace_lane 3 ${x} (i8x16.extract_lane_u 7 ${x}))`, 6),
);

function vector(name: string, around: (x: string) => string, times = unrolled): DearLoop {
  let value = '(local.get $x)';
  for (let count = 0; count < times; count++) value = around(value);
  const text = `(module (memory 1) (func (export "run") (param $n i32) (result i32) (local $x v128) (local $w v128) (local $a i32)
    (local.set $a (i32.sub (i32.const 7) (i32.eqz (local.get $n))))
    (local.set $w (f64x2.convert_low_i32x4_s (i32x4.splat (local.get $a))))
    (local.set $x (f64x2.splat (f64.const 1.1)))
    (loop $l (local.set $x ${value}) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32x4.extract_lane 0 (local.get $x))))`;
  return { name, text };
}

/** A chase through so many bytes, one place in each 64, in an order that no prefetcher knows. */
function chase(bytes: number, op: 'load' | 'store'): DearLoop {
  const slots = bytes / 64;
  const fields = `(memory ${Math.max(1, bytes / 65536)})
    (func (export "prepare") (local $i i32)
      (loop $l
        (i32.store (i32.mul (local.get $i) (i32.const 64))
          (i32.mul (i32.and (i32.add (i32.mul (local.get $i) (i32.const 1664525)) (i32.const 1013904223)) (i32.const ${slots - 1})) (i32.const 64)))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const ${slots})))))`;
  const size = bytes < 1 << 20 ? `${bytes >> 10} KiB` : `${bytes >> 20} MiB`;
  const missesCaches = bytes > 1 << 15;
  if (op === 'load') {
    return { ...chain(`dependent loads over ${size}`, 'i32', '0', (x) => `(i32.load ${x})`, { fields }), missesCaches };
  }
  const address = `(i32.and (local.tee $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223))) (i32.const ${bytes - 64}))`;
  return {
    ...storm(`random stores over ${size}`, () => `(i32.store ${address} (local.get $n))`, { fields }),
    missesCaches,
  };
}

const random = '(local.tee $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223)))';

const memories: DearLoop[] = [
  ...[1 << 15, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26].map((bytes) => chase(bytes, 'load')),
  ...[1 << 20, 1 << 26].map((bytes) => chase(bytes, 'store')),
  chain(
    'a load of what two stores wrote',
    'i64',
    '5',
    (x) => `(i64.load (i32.wrap_i64 (i64.and ${x} (i64.const 8))))`,
    {
      times: 1,
      more: '(i32.store offset=4 (i32.const 0) (local.get $n)) (i32.store (i32.const 0) (local.get $n)) (i32.store8 offset=11 (i32.const 0) (local.get $n))',
    },
  ),
  chain('loads across pages', 'i64', '0', (x) => `(i64.load offset=4092 (i32.wrap_i64 ${x}))`),
  storm('memory.grow by 0', () => '(drop (memory.grow (i32.const 0)))'),
  storm('memory.size', () => '(local.set $a (i32.add (local.get $a) (memory.size)))'),
  ...[0, 1, 15, 64, 4096, 65536].flatMap((length) => [
    // The length comes from a local: a constant one the engine may write out.
    storm(`memory.fill of ${length}`, () => '(memory.fill (i32.const 0) (i32.const 1) (local.get $length))', {
      length,
    }),
    storm(`memory.copy of ${length}`, () => '(memory.copy (i32.const 65) (i32.const 0) (local.get $length))', {
      fields: '(memory 2)',
      length,
    }),
  ]),
  storm('memory.fill of 8 MiB', () => '(memory.fill (i32.const 0) (i32.const 1) (i32.const 8388608))', {
    fields: '(memory 128)',
    times: 1,
  }),
  storm('memory.copy of 8 MiB', () => '(memory.copy (i32.const 8388608) (i32.const 0) (i32.const 8388608))', {
    fields: '(memory 256)',
    times: 1,
  }),
  storm('memory.init of 64', () => '(memory.init $d (i32.const 0) (i32.const 0) (i32.const 64))', {
    fields: `(data $d "${'x'.repeat(64)}")`,
  }),
];

const tables: DearLoop[] = [
  storm('table.set', (i) => `(table.set 0 (i32.const ${i}) (ref.func $f))`, { fields: nothing }),
  storm('table.get', (i) => `(local.set $a (i32.add (local.get $a) (ref.is_null (table.get 0 (i32.const ${i})))))`, {
    fields: nothing,
  }),
  storm('ref.func', () => '(drop (ref.func $f))', { fields: nothing }),
  storm('ref.func, looked at', () => '(local.set $a (i32.add (local.get $a) (ref.is_null (ref.func $f))))', {
    fields: nothing,
  }),
  storm('table.size', () => '(local.set $a (i32.add (local.get $a) (table.size 0)))'),
  ...[0, 1, 200].flatMap((length) => [
    storm(`table.fill of ${length}`, () => `(table.fill 0 (i32.const 0) (ref.func $f) (i32.const ${length}))`, {
      fields: nothing,
    }),
    storm(`table.copy of ${length}`, () => `(table.copy (i32.const 9) (i32.const 0) (i32.const ${length}))`, {
      fields: nothing,
    }),
    storm(`table.init of ${length}`, () => `(table.init $e (i32.const 0) (i32.const 0) (i32.const ${length}))`, {
      fields: `(func $f) (elem $e func ${'$f '.repeat(200)})`,
    }),
  ]),
  storm('table.grow by 0', () => '(drop (table.grow 0 (ref.func $f) (i32.const 0)))', {
    fields: nothing,
  }),
  storm('elem.drop, data.drop', () => '(elem.drop $e) (data.drop $d)', {
    fields: '(func $f) (elem $e func $f) (data $d "x")',
  }),
];

const calls: DearLoop[] = [
  storm('call', () => '(local.set $a (call $g (local.get $a)))', {
    fields:
      '(global $s (mut i32) (i32.const 0)) (func $g (param i32) (result i32) (if (i32.eq (local.get 0) (i32.const 77)) (then (global.set $s (local.get 0)))) (i32.add (local.get 0) (global.get $s)))',
  }),
  storm(
    'call_indirect',
    () => '(local.set $a (call_indirect (type $t) (local.get $a) (i32.and (local.get $a) (i32.const 3))))',
    indirect(4),
  ),
  storm(
    'call_indirect of random functions',
    () => `(local.set $a (call_indirect (type $t) ${random} (i32.shr_u (local.get $a) (i32.const 28))))`,
    indirect(16),
  ),
  storm(
    'a branch that no one foresees',
    () =>
      `(if (i32.lt_s ${random} (i32.const 0)) (then (local.set $a (i32.xor (local.get $a) (i32.const 77)))) (else (local.set $n (i32.xor (local.get $n) (i32.const 0)))))`,
  ),
  storm(
    'a branch table that no one foresees',
    (
      i,
    ) => `(block $a${i} (block $b${i} (block $c${i} (br_table $a${i} $b${i} $c${i} $a${i} $b${i} $c${i} $b${i} $a${i} (i32.shr_u ${random} (i32.const 29))))
    (local.set $a (i32.add (local.get $a) (i32.const 5)))) (local.set $a (i32.xor (local.get $a) (i32.const 3))))`,
  ),
  storm('a host function', () => '(call $h)', { fields: '(import "host" "empty" (func $h))' }),
  storm('a function with 8,000 locals', () => '(local.set $a (call $g (local.get $a)))', {
    fields: `(func $g (param i32) (result i32) (local ${'i64 '.repeat(8000)}) (if (result i32) (i32.eqz (local.get 0)) (then (i32.wrap_i64 (local.get 8000))) (else (local.get 0))))`,
  }),
  storm('a recursion to the bound', () => '(local.set $a (call $g (i32.const 1000)))', {
    fields:
      '(func $g (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $g (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 1))))',
    times: 1,
  }),
  storm('globals', () => '(global.set $s (i32.add (global.get $s) (i32.const 1)))', {
    fields: '(global $s (mut i32) (i32.const 0))',
  }),
];

function indirect(count: number): { fields: string } {
  const names = Array.from({ length: count }, (_, index) => `$g${index}`);
  const functions = names.map(
    (name, index) => `(func ${name} (param i32) (result i32) (i32.add (local.get 0) (i32.const ${index * 2 + 1})))`,
  );
  return {
    fields: `(type $t (func (param i32) (result i32))) (elem (i32.const 0) func ${names.join(' ')}) ${functions.join(' ')}`,
  };
}

export const dearLoops: readonly DearLoop[] = [...integers, ...floats, ...vectors, ...memories, ...tables, ...calls];
