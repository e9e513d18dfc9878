/** The modules of docs/metering-vectors.json, from which `scripts/metering-vectors.ts` makes it. */
export interface VectorSource {
  /** What it shows. */
  about: string;
  wat: string;
  /** Of the export `run`: integers in decimal, floats as JavaScript writes them. */
  args: string[];
  fuelMax: number;
}

function vector(about: string, wat: string, args: string[] = [], fuelMax = 1_000_000): VectorSource {
  return { about, wat: `(module ${wat.replace(/\s+/g, ' ').trim()})`, args, fuelMax };
}

const counting = `(func (export "run") (param i32) (result i32) (local $sum i32)
  (loop $again
    (local.set $sum (i32.add (local.get $sum) (local.get 0)))
    (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
  (local.get $sum))`;

export const vectorSources: readonly VectorSource[] = [
  vector('nothing but the entry of a function', '(func (export "run"))'),
  vector('declared locals', '(func (export "run") (local i32 i64 f32 f64 i32))'),
  vector(
    'constants, arithmetic, and what costs nothing',
    '(func (export "run") (result i32) (nop) (drop (i32.const 7)) (block (result i32) (i32.add (i32.const 1) (i32.const 2))))',
  ),
  vector(
    'integer divisions',
    '(func (export "run") (param i32 i64) (result i64) (i64.add (i64.extend_i32_s (i32.rem_s (i32.div_u (local.get 0) (i32.const 3)) (i32.const 5))) (i64.div_s (local.get 1) (i64.const -7))))',
    ['1000', '-1000'],
  ),
  vector(
    'integer multiplications',
    '(func (export "run") (param i32 i64) (result i64) (i64.mul (local.get 1) (i64.extend_i32_u (i32.mul (local.get 0) (local.get 0)))))',
    ['12', '-5'],
  ),
  vector(
    'float arithmetic, division, square root, minimum',
    '(func (export "run") (param f64) (result f64) (f64.min (f64.sqrt (f64.div (f64.add (local.get 0) (f64.const 2)) (f64.const 0.5))) (f64.const 100)))',
    ['6'],
  ),
  vector(
    'conversions that trap or saturate',
    '(func (export "run") (param f64) (result i32) (i32.add (i32.trunc_f64_s (local.get 0)) (i32.trunc_sat_f64_s (f64.mul (local.get 0) (f64.const 1e20)))))',
    ['3.5'],
  ),
  vector('a loop', counting, ['10']),
  vector('a loop that runs out of fuel', counting, ['1000000'], 1_000),
  vector(
    'a loop round a loop where only the inner branch goes round',
    '(func (export "run") (loop (loop (br 1))))',
    [],
    10_000,
  ),
  vector(
    'both ways through an if without an else',
    '(func (export "run") (param i32) (result i32) (if (local.get 0) (then (local.set 0 (i32.div_u (i32.const 100) (local.get 0))))) (local.get 0))',
    ['0'],
  ),
  vector(
    'both ways through an if without an else, the other way',
    '(func (export "run") (param i32) (result i32) (if (local.get 0) (then (local.set 0 (i32.div_u (i32.const 100) (local.get 0))))) (local.get 0))',
    ['7'],
  ),
  vector(
    'a table of branches, by its default',
    '(func (export "run") (param i32) (result i32) (block $a (block $b (block $c (br_table $a $b $c (local.get 0))) (return (i32.mul (i32.const 3) (i32.const 3)))) (return (i32.const 2))) (i32.const 1))',
    ['9'],
  ),
  vector(
    'a return out of nested blocks, and code that never runs',
    '(func (export "run") (result i32) (block (block (return (i32.const 5)) (drop (i32.div_u (i32.const 1) (i32.const 1))))) (i32.const 6))',
  ),
  vector(
    'a call of a function that costs the same on every way',
    '(func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))) (func (export "run") (result i32) (call $leaf (call $leaf (i32.const 0))))',
  ),
  vector(
    'recursion',
    '(func $fib (export "run") (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0)) (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))',
    ['12'],
  ),
  vector(
    'recursion that goes too deep',
    '(func $f (export "run") (param i32) (result i32) (i32.add (local.get 0) (call $f (local.get 0))))',
    ['1'],
    100_000_000,
  ),
  vector(
    'recursion by tail calls, which needs no stack',
    '(func $f (export "run") (param i32) (result i32) (if (local.get 0) (then (return_call $f (i32.sub (local.get 0) (i32.const 1))))) (i32.const 42))',
    ['5000'],
  ),
  vector(
    'a call through a table',
    '(type $t (func (param i32) (result i32))) (table 2 funcref) (elem (i32.const 0) $a $b) (func $a (type $t) (i32.const 1)) (func $b (type $t) (i32.mul (local.get 0) (local.get 0))) (func (export "run") (param i32) (result i32) (call_indirect (type $t) (i32.const 9) (local.get 0)))',
    ['1'],
  ),
  vector(
    'a call through an empty place of a table',
    '(type $t (func)) (table 2 funcref) (func (export "run") (call_indirect (type $t) (i32.const 1)))',
  ),
  vector(
    'loads and stores',
    '(memory 1) (func (export "run") (result i32) (i32.store (i32.const 8) (i32.const 77)) (i32.load8_u (i32.const 8)))',
  ),
  vector('a load outside of memory', '(memory 1) (func (export "run") (result i32) (i32.load (i32.const 65534)))'),
  vector(
    'memory filled and copied, paid by length before it runs',
    '(memory 1) (func (export "run") (memory.fill (i32.const 0) (i32.const 1) (i32.const 1000)) (memory.copy (i32.const 2000) (i32.const 0) (i32.const 15)))',
  ),
  vector(
    'memory grown by two pages',
    '(memory 1) (func (export "run") (result i32) (drop (memory.grow (i32.const 2))) (memory.size))',
  ),
  vector(
    'memory grown beyond the pages allowed, which costs no pages',
    '(memory 1) (func (export "run") (result i32) (memory.grow (i32.const 5000)))',
  ),
  vector(
    'a segment of data, copied and dropped',
    '(memory 1) (data $d "hello world") (func (export "run") (result i32) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 11)) (data.drop $d) (i32.load8_u (i32.const 4)))',
  ),
  vector(
    'tables',
    '(table $t 4 10 funcref) (func $f) (elem $e func $f $f) (func (export "run") (result i32) (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2)) (table.set $t (i32.const 3) (table.get $t (i32.const 0))) (drop (table.grow $t (table.get $t (i32.const 0)) (i32.const 3))) (table.fill $t (i32.const 0) (table.get $t (i32.const 3)) (i32.const 2)) (elem.drop $e) (table.size $t))',
  ),
  vector(
    'several results',
    '(func $two (result i32 i64) (i32.const 1) (i64.const 2)) (func (export "run") (result i32 i64) (call $two))',
  ),
  vector(
    'vectors',
    '(memory 1) (func (export "run") (result i32) (v128.store (i32.const 0) (i64x2.mul (i64x2.splat (i64.const 3)) (v128.const i64x2 5 7))) (i32x4.extract_lane 2 (v128.load (i32.const 0))))',
  ),
  vector(
    'a NaN made by arithmetic, whose bits are shown',
    '(func (export "run") (param f32) (result i32) (i32.reinterpret_f32 (f32.neg (f32.div (local.get 0) (local.get 0)))))',
    ['0'],
  ),
  vector(
    'a start function, run under the same fuel',
    '(global $g (mut i32) (i32.const 1)) (func $start (global.set $g (i32.div_u (i32.const 90) (i32.const 9)))) (start $start) (func (export "run") (result i32) (global.get $g))',
  ),
  vector('code that is never reached', '(func (export "run") (unreachable) (drop (i32.const 1)))'),
  vector('refused: an imported memory', '(import "env" "memory" (memory 1)) (func (export "run"))'),
  vector('refused: threads', '(memory 1 1 shared) (func (export "run"))'),
  vector('refused: a reserved export', '(func (export "run")) (func (export "workswap_fuel"))'),
  vector('refused: a memory that starts too large', '(memory 1025) (func (export "run"))'),
];
