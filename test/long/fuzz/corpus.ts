import { handlerWat, parseWat } from '../../../provider/sandbox/testing/modules.ts';
import { randomModule } from '../../../provider/metering/testing/random-module.ts';
import { vectorSources } from '../../../provider/metering/testing/vector-sources.ts';
import { wat } from '../../../provider/metering/testing/wat.ts';

/** Small valid modules that together use everything that is accepted, and some that are refused by name. */
export function seedCorpus(): Uint8Array[] {
  const everything = `(module
    (import "env" "h" (func $h (param f32 i64) (result f64))) (type $t (func (param i32) (result i32)))
    (memory (export "m") 1 3) (table $a (export "t") 3 9 funcref) (table $b 2 externref)
    (global $g (mut f64) (f64.const nan)) (global $f funcref (ref.func $loop)) (global $i (export "g") (mut i64) (i64.const -1))
    (elem (table $a) (i32.const 1) func $loop $tail) (elem $passive func $tail) (data (i32.const 5) "abc") (data $d "passive")
    (func $loop (type $t) (local f32 v128 i64)
      (loop $l (result i32)
        (block $x (result i32) (br_if $x (i32.const 3) (local.get 0)) (br_table $x $l $x (i32.const 1)))
        (if (param i32) (result i32) (local.get 0) (then (i32.const 1) (i32.add)) (else (drop) (return (i32.const 5))))
        (local.set 0) (local.set 2 (f32x4.mul (local.get 2) (f32x4.splat (f32.sqrt (local.get 1)))))
        (global.set $g (call $h (f32.copysign (local.get 1) (f32x4.extract_lane 2 (local.get 2))) (i64.reinterpret_f64 (global.get $g))))
        (br_if $l (i32.eqz (local.get 0))) (local.get 0)))
    (func $tail (type $t) (return_call_indirect $a (type $t) (local.get 0) (i32.const 1)))
    (func (export "run") (param i32) (result i32) (table.set $b (i32.const 0) (table.get $b (i32.const 1)))
      (table.copy $a $a (i32.const 0) (i32.const 1) (i32.const 1)) (table.init $a $passive (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop $passive)
      (memory.init $d (i32.const 9) (i32.const 0) (i32.const 4)) (data.drop $d) (memory.fill (i32.const 1) (i32.const 2) (i32.const 3))
      (memory.copy (i32.const 1) (i32.const 2) (i32.const 3)) (drop (memory.grow (i32.const 1)))
      (v128.store offset=70000 (i32.const 1) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i64x2 1 2) (v128.load8x8_s (i32.const 3))))
      (select (call $loop (local.get 0)) (call_indirect $a (type $t) (i32.const 7) (i32.const 2)) (ref.is_null (ref.func $tail)))))`;
  return [
    wat(everything),
    ...vectorSources.map((source) => wat(source.wat)),
    ...Array.from({ length: 60 }, (_, seed) => randomModule(seed).bytes).filter(({ length }) => length < 1_200),
    parseWat(handlerWat()),
  ];
}
