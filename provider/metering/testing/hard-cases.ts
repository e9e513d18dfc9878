import { meter } from '../meter.ts';
import { caseOf } from './cases.ts';
import type { Case } from './cases.ts';
import { wat } from './wat.ts';

/**
 * What engines, and tiers of one engine, are known to differ in: the bits of NaNs, and how deep calls can be nested. Each
 * comes in both forms, with fuel in parameters and without.
 */
export function hardCases(): Case[] {
  const sources: [string, string][] = [['NaNs made and shown in all ways', nanSource()], ...recursions()];
  return sources.flatMap(([name, source]) => {
    const bytes = wat(source);
    return [true, false].map((fuelInParameters) =>
      caseOf(`${name}, fuel in parameters: ${fuelInParameters}`, meter(bytes, { fuelInParameters }), 1n << 34n),
    );
  });
}

/** Makes NaNs in many ways, and shows their bits in all ways. */
function nanSource(): string {
  const values = ['nan', '-nan', 'nan:0x123456', 'inf', '-inf', '0', '-0', '1.5'];
  const binary = ['add', 'sub', 'mul', 'div', 'min', 'max'];
  const unary = ['sqrt', 'ceil', 'floor', 'trunc', 'nearest', 'abs', 'neg'];
  let code = '';
  let address = 0;
  for (const type of ['f32', 'f64']) {
    for (const a of values) {
      for (const op of unary) {
        code += `(${type}.store (i32.const ${address}) (${type}.${op} (call $${type} (${type}.const ${a}))))\n`;
        address += 8;
      }
      for (const b of values) {
        for (const op of binary) {
          const value = `(${type}.${op} (call $${type} (${type}.const ${a})) (call $${type} (${type}.const ${b})))`;
          code += `(${type}.store (i32.const ${address}) ${value})\n`;
          code += `(${type}.store (i32.const ${address + 8}) (${type}.copysign (${type}.const 1) ${value}))\n`;
          code += `(i64.store (i32.const ${address + 16}) ${type === 'f32' ? '(i64.extend_i32_u (i32.reinterpret_f32' : '(i64.add (i64.const 0) (i64.reinterpret_f64'} ${value})))\n`;
          const vector = type === 'f32' ? 'f32x4' : 'f64x2';
          if (op !== 'min' && op !== 'max') {
            code += `(v128.store (i32.const ${address + 24}) (${vector}.${op} (${vector}.splat (call $${type} (${type}.const ${a}))) (${vector}.splat (call $${type} (${type}.const ${b})))))\n`;
          }
          address += 40;
        }
      }
    }
  }
  return `(module (memory (export "memory") 2)
    (func $f32 (param f32) (result f32) (if (i32.eqz (i32.load (i32.const 0))) (then nop)) (local.get 0))
    (func $f64 (param f64) (result f64) (if (i32.eqz (i32.load (i32.const 0))) (then nop)) (local.get 0))
    (func (export "run") ${code}))`;
}

const deeper = '(i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))';

function computation(index: number): string {
  const product = `(i64.mul (i64.add (local.get 0) (i64.const ${index * 7919 + 13})) (i64.sub (local.get 1) (i64.const ${index * 104729 + 5})))`;
  return `(local.set 2 (i64.xor (local.get 2) ${product}))`;
}

/** Recursions without end, with frames of every kind; each counts in memory how deep it got. */
function recursions(): [string, string][] {
  const recursion = (name: string, functions: string): [string, string] => [
    `endless recursion ${name}`,
    `(module (memory (export "memory") 1) ${functions})`,
  ];
  const times = (count: number, one: (index: number) => string) =>
    Array.from({ length: count }, (_, i) => one(i)).join(' ');
  return [
    recursion('with nothing', `(func $f (export "f") ${deeper} (call $f) ${deeper})`),
    recursion(
      'with a value',
      `(func $f (export "f") (param i32) (result i32) ${deeper} (i32.add (local.get 0) (call $f (local.get 0))))`,
    ),
    recursion(
      'with 200 locals',
      `(func $f (export "f") (result i64) (local ${'i64 '.repeat(200)}) ${deeper}
      ${times(200, (i) => `(local.set ${i} (i64.load (i32.const ${i * 8})))`)} (call $f) ${times(200, (i) => `(i64.add (local.get ${i}))`)})`,
    ),
    recursion(
      'with 40 operands',
      `(func $f (export "f") (result i64) ${deeper}
      ${times(40, (i) => `(i64.load (i32.const ${i * 8}))`)} (call $f) ${times(40, () => '(i64.add)')})`,
    ),
    recursion(
      'with 128 parameters',
      `(func $f (export "f") (param ${'i64 '.repeat(128)}) (result i64) ${deeper}
      (i64.add (local.get 127) (call $f ${times(128, (i) => `(local.get ${127 - i})`)})))`,
    ),
    recursion(
      'with 20 results',
      `(func $f (export "f") (result ${'i32 '.repeat(20)}) ${deeper} (call $f) (drop) (i32.load (i32.const 4)))`,
    ),
    recursion(
      'with vectors',
      `(func $f (export "f") (result i32) (local v128 v128 v128) ${deeper}
      (local.set 0 (v128.load (i32.const 16))) (local.set 1 (v128.load (i32.const 32))) (local.set 2 (f32x4.sqrt (local.get 0)))
      (v128.store (i32.const 64) (local.get 2)) (drop (call $f))
      (i32x4.extract_lane 0 (v128.xor (local.get 0) (v128.xor (local.get 1) (local.get 2)))))`,
    ),
    recursion(
      'with floats',
      `(func $f (export "f") (param f64 f32) (result f64) ${deeper}
      (f64.store (i32.const 8) (f64.mul (local.get 0) (local.get 0))) (f32.store (i32.const 16) (f32.copysign (f32.mul (local.get 1) (local.get 1)) (local.get 1)))
      (f64.copysign (local.get 0) (f64.add (call $f (f64.sqrt (local.get 0)) (local.get 1)) (local.get 0))))`,
    ),
    // The most that may stand below a recursion, and the recursion that takes most for each byte counted.
    recursion(
      'below two frames of 7,500 locals',
      `(func $a (export "f") (result i64) (local ${'i64 '.repeat(7500)}) (i64.add (call $b) (local.get 7499)))
      (func $b (result i64) (local ${'i64 '.repeat(7500)}) (i64.add (call $f ${times(128, () => '(i64.const 1)')}) (local.get 7499)))
      (func $f (param ${'i64 '.repeat(128)}) (result i64) ${deeper}
      (i64.add (local.get 127) (call $f ${times(128, (i) => `(local.get ${127 - i})`)})))`,
    ),
    // Optimising compilers compute what stands twice once, and keep it over the call between.
    recursion(
      'between two times the same 300 computations',
      `(func $f (export "f") (param i64 i64) (result i64) (local i64) ${deeper} ${times(300, computation)}
      (local.set 2 (i64.add (local.get 2) (call $f (local.get 2) (local.get 1)))) ${times(300, computation)} (local.get 2))`,
    ),
    recursion(
      'before 300 float constants',
      `(func $f (export "f") (result f64) (local f64) ${deeper} (local.set 0 (call $f))
      ${times(300, (i) => `(local.set 0 (f64.add (f64.mul (local.get 0) (f64.const ${i}.5)) (f64.load (i32.const ${8 + i * 8}))))`)} (local.get 0))`,
    ),
    recursion(
      'by turns',
      `(func $f (export "f") (param i32) (result i32) ${deeper} (i32.add (call $g (i64.extend_i32_u (local.get 0))) (local.get 0)))
      (func $g (param i64) (result i32) (local i64 i64) (i32.sub (call $f (i32.wrap_i64 (local.get 0))) (i32.wrap_i64 (local.get 0))))`,
    ),
    recursion(
      'through a table',
      `(table 1 funcref) (elem (i32.const 0) $f) (type $t (func (param i32) (result i32)))
      (func $f (export "f") (type $t) ${deeper} (i32.add (call_indirect (type $t) (local.get 0) (i32.const 0)) (local.get 0)))`,
    ),
    recursion(
      'that grows memory and fills it',
      `(func $f (export "f") (result i32) ${deeper}
      (memory.fill (i32.const 64) (i32.const 1) (i32.const 8)) (i32.add (memory.grow (i32.const 0)) (call $f)))`,
    ),
    recursion(
      'in a loop with a table of branches',
      `(func $f (export "f") (param i32) (result i32) (local i32 i64) ${deeper}
      (loop $l (block $a (block $b (br_table $a $b (local.get 0))) (local.set 1 (call $f (local.get 1)))) (br_if $l (call $f (i32.const 0)))) (local.get 1))`,
    ),
  ];
}
