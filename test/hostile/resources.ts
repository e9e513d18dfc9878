import { attempt, SHORT, type HostileCase } from './case.ts';

const GROW_ALL = '(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))';
const touch = '(memory.fill (i32.const 0) (i32.const 7) (i32.shl (memory.size) (i32.const 16)))';

export const memory: HostileCase[] = [
  attempt('growing to the limit and one page more', { body: `${GROW_ALL} (call $ok)` }, undefined, {
    limits: { memoryPagesMax: 100 },
  }),
  attempt('growing to the limit and touching everything', { body: `${GROW_ALL} ${touch} (unreachable)` }, 'TRAP', {
    limits: { memoryPagesMax: 1000 },
  }),
  attempt('growing by everything at once', { body: '(drop (memory.grow (i32.const 65535))) (call $ok)' }, undefined),
  attempt(
    'growing by a negative number',
    { body: '(if (i32.ne (memory.grow (i32.const -1)) (i32.const -1)) (then (unreachable))) (call $ok)' },
    undefined,
  ),
  attempt(
    'growing past its own maximum',
    { memory: '1 2', body: '(if (i32.ne (memory.grow (i32.const 2)) (i32.const -1)) (then (unreachable))) (call $ok)' },
    undefined,
  ),
  attempt('starting with more memory than the job allows', { memory: '300' }, 'MEMORY_LIMIT', {
    limits: { memoryPagesMax: 299 },
  }),
  attempt('starting with 60 MB and fuel for a page of them', { memory: '960' }, 'OUT_OF_FUEL', {
    limits: { fuelMax: 3_000_000, memoryPagesMax: 1024 },
  }),
  attempt('starting with 4 GB', { memory: '65536' }, 'MODULE_LIMIT'),
  attempt(
    'growing and shrinking in turn',
    { body: `(loop $l (drop (memory.grow (i32.const 1))) (drop (memory.grow (i32.const -1))) (br $l))` },
    'OUT_OF_FUEL',
    SHORT,
  ),
  attempt('a load at the very end', { body: '(drop (i64.load (i32.const 65529)))' }, 'TRAP'),
  attempt('a load far outside', { body: '(drop (i32.load offset=4294967295 (i32.const -1)))' }, 'TRAP'),
  attempt('a store at a negative address', { body: '(i32.store (i32.const -4) (i32.const 1))' }, 'TRAP'),
  attempt('a fill past the end', { body: '(memory.fill (i32.const 65535) (i32.const 0) (i32.const 2))' }, 'TRAP'),
  attempt('a copy of a negative length', { body: '(memory.copy (i32.const 0) (i32.const 0) (i32.const -1))' }, [
    'TRAP',
    'OUT_OF_FUEL',
  ]),
  attempt('a data segment outside memory', { fields: '(data (i32.const 65535) "xx")' }, 'TRAP'),
  attempt(
    'a segment used after it was dropped',
    { fields: '(data $d "abc")', body: '(data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3))' },
    'TRAP',
  ),
];

export const tables: HostileCase[] = [
  attempt('a table of ten million entries', { fields: '(table 10000000 funcref)' }, 'MODULE_LIMIT'),
  attempt(
    'many tables',
    { fields: Array.from({ length: 40 }, (_, i) => `(table $t${i} 1 funcref)`).join(' ') },
    'MODULE_LIMIT',
  ),
  attempt(
    'a million table entries, with little fuel',
    { fields: Array.from({ length: 16 }, () => '(table 65536 funcref)').join(' ') },
    'OUT_OF_FUEL',
    SHORT,
  ),
  attempt(
    'thousands of exports to make, with little fuel',
    { fields: Array.from({ length: 9000 }, (_, i) => `(func (export "e${i}"))`).join(' ') },
    'OUT_OF_FUEL',
    SHORT,
  ),
  attempt(
    'growing a table without end',
    {
      fields: '(table $t 1 funcref)',
      body: '(loop $l (br_if $l (i32.ne (table.grow $t (ref.null func) (i32.const 1)) (i32.const -1)))) (call $ok)',
    },
    undefined,
  ),
  attempt(
    'growing a table by everything',
    {
      fields: '(table $t 1 externref)',
      body: '(drop (table.grow $t (ref.null extern) (i32.const -1))) (call $ok)',
    },
    undefined,
  ),
  attempt(
    'calling an empty table entry',
    { fields: '(type $n (func)) (table 4 funcref)', body: '(call_indirect (type $n) (i32.const 1))' },
    'TRAP',
  ),
  attempt(
    'calling outside the table',
    { fields: '(type $n (func)) (table 4 funcref)', body: '(call_indirect (type $n) (i32.const -1))' },
    'TRAP',
  ),
  attempt(
    'calling under the wrong type',
    {
      fields: '(type $w (func (param i64))) (table 1 funcref) (elem (i32.const 0) $ok)',
      body: '(call_indirect (type $w) (i64.const 1) (i32.const 0))',
    },
    'TRAP',
  ),
  attempt(
    'calling a host function through a table',
    {
      imports: ['fail'],
      fields: '(type $f (func (param i32 i32))) (table 1 funcref) (elem (i32.const 0) $fail)',
      body: '(call_indirect (type $f) (i32.const 0) (i32.const 3) (i32.const 0))',
    },
    'HANDLER_FAILED',
  ),
  attempt('an element segment outside its table', { fields: '(table 1 funcref) (elem (i32.const 1) $ok)' }, 'TRAP'),
];

export const output: HostileCase[] = [
  attempt(
    'a flood of output',
    { body: '(call $ok) (loop $l (call $output_write (i32.const 0) (i32.const 60000)) (br $l))' },
    'OUTPUT_LIMIT',
  ),
  attempt(
    'a flood of empty writes',
    { body: '(call $ok) (loop $l (call $output_write (i32.const 0) (i32.const 0)) (br $l))' },
    'OUT_OF_FUEL',
    SHORT,
  ),
  attempt(
    'one write over the limit',
    { memory: '20', body: '(call $ok) (call $output_write (i32.const 0) (i32.const 1000001))' },
    'OUTPUT_LIMIT',
  ),
  attempt('no output', { body: '(nop)' }, 'INVALID_OUTPUT'),
  attempt('an empty head', { body: '(call $output_write (i32.const 0) (i32.const 0))' }, 'INVALID_OUTPUT'),
  attempt(
    'a head that is too large',
    { memory: '2', body: '(call $output_write (i32.const 0) (i32.const 65537))' },
    'INVALID_OUTPUT',
  ),
  attempt(
    'a head with a body behind it',
    { body: '(call $output_write (i32.const 0) (i32.const 20))' },
    'INVALID_OUTPUT',
  ),
  attempt(
    'a head nested deep',
    {
      fields: `(data (i32.const 100) "${'\\a1\\61a'.repeat(2000)}")`,
      body: '(call $output_write (i32.const 100) (i32.const 6000))',
    },
    'INVALID_OUTPUT',
  ),
  attempt(
    'a head that says it is four billion texts',
    {
      fields: '(data (i32.const 100) "\\ba\\ff\\ff\\ff\\ff")',
      body: '(call $output_write (i32.const 100) (i32.const 5))',
    },
    'INVALID_OUTPUT',
  ),
  attempt(
    'a fail with a megabyte of words',
    { imports: ['fail'], memory: '20', body: '(call $fail (i32.const 0) (i32.const 1000000))' },
    'HANDLER_FAILED',
  ),
  attempt(
    'a fail after the response',
    { imports: ['fail'], body: '(call $ok) (call $fail (i32.const 0) (i32.const 0))' },
    'HANDLER_FAILED',
  ),
  attempt(
    'a flood of logs',
    {
      imports: ['log'],
      body: '(local $i i32) (loop $l (call $log (local.get $i) (i32.const 0) (i32.const 60000)) (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))) (call $ok)',
    },
    undefined,
  ),
];
