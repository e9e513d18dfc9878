import binaryen from 'binaryen';
import { parseWat } from '../../provider/sandbox/testing/modules.ts';
import { attempt, binary, module, type HostileCase } from './case.ts';
import { bytesOf, MAGIC, section, text, u32, vector } from './wasm.ts';

const REST = '(memory (export "memory") 1) (func (export "handle"))';

function importing(from: string, name: string, type = '(func)'): HostileCase {
  return module(`${from}.${name} ${type}`, `(module (import "${from}" "${name}" ${type}) ${REST})`, 'FORBIDDEN_IMPORT');
}

/** Names that every JavaScript object answers to, and doors that other hosts have. */
const names = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  '',
  'output_write\\00',
  'Output_Write',
  'state_write',
];

export const imports: HostileCase[] = [
  ...names.map((name) => importing('workswap', name)),
  importing('__proto__', 'output_write', '(func (param i32 i32))'),
  importing('constructor', 'prototype'),
  importing('env', 'abort', '(func (param i32 i32 i32 i32))'),
  importing('env', 'seed', '(func (result f64))'),
  importing('wasi_snapshot_preview1', 'clock_time_get', '(func (param i32 i64 i32) (result i32))'),
  importing('wasi_snapshot_preview1', 'fd_write', '(func (param i32 i32 i32 i32) (result i32))'),
  importing('performance', 'now', '(func (result f64))'),
  importing('wasm:js-string', 'length', '(func (param externref) (result i32))'),
  importing('workswap', 'output_write', '(func (param i32))'),
  importing('workswap', 'time_ms', '(func (result f64))'),
  importing('workswap', 'fail', '(func (param i64 i64))'),
  module(
    'an imported memory',
    `(module (import "workswap" "memory" (memory 1)) (export "memory" (memory 0)) (func (export "handle")))`,
    'FEATURE_REFUSED',
  ),
  module('an imported table', `(module (import "workswap" "table" (table 1 funcref)) ${REST})`, 'FEATURE_REFUSED'),
  module('an imported global', `(module (import "workswap" "global" (global i32)) ${REST})`, 'FEATURE_REFUSED'),
  module(
    'a global that clashes with the meter',
    `(module ${REST} (global (export "workswap_fuel") (mut i64) (i64.const 1)))`,
    'RESERVED_EXPORT',
  ),
  module('a reset of its own', `(module ${REST} (func (export "workswap_reset")))`, 'RESERVED_EXPORT'),
  module(
    'handle that is a host call',
    `(module (import "workswap" "time_ms" (func $t (result i64))) (memory (export "memory") 1) (export "handle" (func $t)))`,
    'MISSING_EXPORT',
  ),
  module('no handle', '(module (memory (export "memory") 1))', 'MISSING_EXPORT'),
  module('no memory', '(module (func (export "handle")))', 'MISSING_EXPORT'),
  module(
    'handle with a result',
    '(module (memory (export "memory") 1) (func (export "handle") (result i32) (i32.const 1)))',
    'MISSING_EXPORT',
  ),
  module(
    'memory that is a table',
    '(module (memory 1) (table (export "memory") 1 funcref) (func (export "handle")))',
    'MISSING_EXPORT',
  ),
  attempt(
    'a host call exported under another name',
    { fields: '(export "then" (func $output_write)) (export "__proto__" (func $output_write))' },
    undefined,
  ),
  attempt('a mutable global exported', { fields: '(global (export "valueOf") (mut i32) (i32.const 1))' }, undefined),
  binary(
    'a name that is not UTF-8',
    () =>
      bytesOf(MAGIC, section(1, vector([[0x60, 0, 0]])), section(2, vector([[u32(2), 0xff, 0xfe, text('x'), 0, 0]]))),
    'INVALID_MODULE',
  ),
];

/** What could serve as a clock, or as a way to other threads. */
export const clocks: HostileCase[] = [
  module('shared memory', '(module (memory (export "memory") 1 2 shared) (func (export "handle")))', 'FEATURE_REFUSED'),
  module(
    'an atomic operation',
    '(module (memory (export "memory") 1 2 shared) (func (export "handle") (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))))',
    'FEATURE_REFUSED',
  ),
  module('a fence', '(module (memory (export "memory") 1) (func (export "handle") (atomic.fence)))', 'FEATURE_REFUSED'),
  module(
    'a memory of 64 bits',
    '(module (memory (export "memory") i64 1) (func (export "handle")))',
    'FEATURE_REFUSED',
  ),
  module(
    'two memories',
    '(module (memory (export "memory") 1) (memory $b 1) (func (export "handle")))',
    'FEATURE_REFUSED',
  ),
  module(
    'exceptions',
    '(module (tag $e) (memory (export "memory") 1) (func (export "handle") (throw $e)))',
    'FEATURE_REFUSED',
  ),
  binary(
    'garbage collected structures',
    () =>
      parseWat(
        '(module (type $s (struct (field i32))) (memory (export "memory") 1) (func (export "handle") (drop (struct.new $s (i32.const 1)))))',
        binaryen.Features.All,
      ),
    'FEATURE_REFUSED',
  ),
  module(
    'relaxed SIMD',
    '(module (memory (export "memory") 1) (func (export "handle") (drop (i32x4.relaxed_trunc_f32x4_s (v128.const i64x2 0 0)))))',
    'FEATURE_REFUSED',
  ),
  attempt(
    'time that passes',
    {
      imports: ['time_ms'],
      body: `(local $t i64) (local $i i32) (local.set $t (call $time_ms))
      (loop $l (if (i64.ne (call $time_ms) (local.get $t)) (then (unreachable))) (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000)))) (call $ok)`,
    },
    undefined,
  ),
];
