import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { expect, test } from 'vitest';
import { meter } from './index.ts';

/** Makes NaNs in many ways, and shows their bits in all ways. */
function source(): string {
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

const probe = `
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
const compiled = new WebAssembly.Module(readFileSync(process.argv[2]));
const { exports } = new WebAssembly.Instance(compiled);
exports.workswap_fuel.value = 1n << 40n;
exports.run();
const hash = createHash('sha256').update(new Uint8Array(exports.memory.buffer)).digest('hex');
console.log(hash, exports.workswap_fuel.value);
`;

test('a handler shows the same bits of its floats in every tier of the engine', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'metering-'));
  try {
    const text = binaryen.parseText(source());
    text.setFeatures(binaryen.Features.All);
    const metered = meter(text.emitBinary());
    text.dispose();
    writeFileSync(join(folder, 'metered.wasm'), metered.bytes);
    writeFileSync(join(folder, 'probe.mjs'), probe);
    const answers = [['--liftoff-only'], ['--no-liftoff'], []].map((flags) =>
      execFileSync(process.execPath, [...flags, join(folder, 'probe.mjs'), join(folder, 'metered.wasm')]).toString(),
    );
    expect(new Set(answers).size).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
