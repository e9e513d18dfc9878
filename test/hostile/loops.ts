import { attempt, ENDLESS, SHORT, type HostileCase } from './case.ts';

const HUGE_MEMORY = '200 200';

/** Bodies that never end. Each is tried with little fuel, and with so much that only the deadline is left. */
const bodies: [string, string, string?][] = [
  ['an empty loop', '(loop $l (br $l))'],
  ['a conditional loop', '(loop $l (br_if $l (i32.const 1)))'],
  ['a loop that only an inner branch goes round', '(loop $a (loop $b (br 1)))'],
  ['a loop through br_table’s default', '(loop $l (br_table $l $l (i32.const 5)))'],
  ['a loop through br_table’s first target', '(block $out (loop $l (br_table $l $out (i32.const 0))))'],
  ['a loop in an if', '(if (i32.const 1) (then (loop $l (br $l))))'],
  ['three nested loops', '(loop $a (loop $b (loop $c (br $b))))'],
  ['a loop around block exits', '(loop $l (block $x (br_if $x (i32.const 1))) (br $l))'],
  ['a loop around a fill of 8 MB', '(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 8388608)) (br $l))'],
  ['a loop around a copy of 8 MB', '(loop $l (memory.copy (i32.const 0) (i32.const 64) (i32.const 8388544)) (br $l))'],
  ['a loop around fills of nothing', '(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 0)) (br $l))'],
  ['a loop around memory.grow of nothing', '(loop $l (drop (memory.grow (i32.const 0))) (br $l))'],
  ['a loop around memory.grow that fails', '(loop $l (drop (memory.grow (i32.const 65536))) (br $l))'],
  ['a loop around divisions', '(loop $l (drop (i64.div_u (i64.const -1) (i64.extend_i32_u (memory.size)))) (br $l))'],
  ['a loop around calls', '(loop $l (call $nothing) (br $l))', '(func $nothing)'],
  [
    'a loop around indirect calls',
    '(loop $l (call_indirect (type $none) (i32.const 0)) (br $l))',
    '(type $none (func)) (table 1 funcref) (elem (i32.const 0) $nothing) (func $nothing)',
  ],
  ['a loop around table.set', '(loop $l (table.set $t (i32.const 0) (ref.null func)) (br $l))', '(table $t 1 funcref)'],
  [
    'a loop around table.fill',
    '(loop $l (table.fill $t (i32.const 0) (ref.null func) (i32.const 60000)) (br $l))',
    '(table $t 60000 funcref)',
  ],
  ['a storm of small host calls', '(loop $l (drop (call $time_ms)) (br $l))'],
  ['a storm of logs', '(loop $l (call $log (i32.const 0) (i32.const 0) (i32.const 4096)) (br $l))'],
  ['a storm of random bytes', '(loop $l (call $random (i32.const 0) (i32.const 65536)) (br $l))'],
  ['a storm of hashes', '(loop $l (call $sha256 (i32.const 0) (i32.const 1000000) (i32.const 0)) (br $l))'],
  ['a storm of hashes of 13 MB', '(loop $l (call $sha256 (i32.const 0) (i32.const 13000000) (i32.const 0)) (br $l))'],
  [
    'a storm of signatures of 8 MB',
    '(loop $l (drop (call $ed25519_verify (i32.const 0) (i32.const 0) (i32.const 8388608) (i32.const 0))) (br $l))',
  ],
  [
    'a storm of signatures',
    '(loop $l (drop (call $ed25519_verify (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 0))) (br $l))',
  ],
  ['a storm of input reads', '(loop $l (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 4))) (br $l))'],
];

const imports = ['time_ms', 'log', 'random', 'sha256', 'ed25519_verify', 'input_read'] as const;

const endless: HostileCase[] = bodies.flatMap(([name, body, fields = '']) => {
  const parts = { imports: [...imports], memory: HUGE_MEMORY, fields, body };
  return [
    attempt(`${name}, with little fuel`, parts, 'OUT_OF_FUEL', SHORT),
    attempt(`${name}, with fuel for a year`, parts, 'JOB_TIMEOUT', ENDLESS),
  ];
});

const TABLE = '(type $n (func)) (table 2 funcref) (elem (i32.const 0) $a $b)';
/** V8 leaves its check for termination out of functions that only tail call; the meter brings it back. */
const tailCalls: HostileCase[] = [
  ['of two', '(func $a (return_call $b)) (func $b (return_call $a))'],
  ['of one', '(func $a (return_call $a))'],
  ['with a call in between', '(func $n) (func $a (call $n) (return_call $b)) (func $b (return_call $a))'],
  [
    'with arguments',
    '(func $a (return_call $b (i64.const 1))) (func $b (param i64) (if (i64.eqz (local.get 0)) (then (return))) (return_call $a))',
  ],
  [
    'through a table',
    `${TABLE} (func $a (return_call_indirect (type $n) (i32.const 1))) (func $b (return_call_indirect (type $n) (i32.const 0)))`,
  ],
].flatMap(([what = '', fields = '']) => [
  attempt(`tail calls ${what}, with little fuel`, { fields, body: '(call $a)' }, 'OUT_OF_FUEL', SHORT),
  attempt(`tail calls ${what}, with fuel for a year`, { fields, body: '(call $a)' }, 'JOB_TIMEOUT', ENDLESS),
]);

export const loops: HostileCase[] = [
  ...endless,
  attempt(
    'a loop in the start function',
    { fields: '(func $start (loop $l (br $l))) (start $start)' },
    'OUT_OF_FUEL',
    SHORT,
  ),
  attempt(
    'a loop in the start function, with fuel for a year',
    { fields: '(func $start (loop $l (br $l))) (start $start)' },
    'JOB_TIMEOUT',
    ENDLESS,
  ),
  attempt('a trap in the start function', { fields: '(func $start (unreachable)) (start $start)' }, 'TRAP'),
  ...tailCalls,
  attempt(
    'a loop of 2^31 rounds that a counter may wrap',
    {
      body: '(local $i i32) (loop $l (br_if $l (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 2147483647)))) (call $ok)',
    },
    'OUT_OF_FUEL',
    SHORT,
  ),
];

export const recursion: HostileCase[] = [
  attempt('recursion without end', { fields: '(func $r (call $r))', body: '(call $r)' }, 'STACK_OVERFLOW'),
  attempt(
    'recursion of two',
    { fields: '(func $a (call $b)) (func $b (call $a))', body: '(call $a)' },
    'STACK_OVERFLOW',
  ),
  attempt(
    'recursion through a table',
    {
      fields:
        '(type $none (func)) (table 1 funcref) (elem (i32.const 0) $r) (func $r (call_indirect (type $none) (i32.const 0)))',
      body: '(call $r)',
    },
    'STACK_OVERFLOW',
  ),
  attempt(
    'recursion with many locals',
    { fields: `(func $r (local ${'i64 '.repeat(500)}) (call $r))`, body: '(call $r)' },
    'STACK_OVERFLOW',
  ),
  attempt(
    'recursion with many arguments',
    {
      fields: `(func $r (param ${'i64 '.repeat(60)}) (call $r ${Array.from({ length: 60 }, (_, i) => `(local.get ${i})`).join(' ')}))`,
      body: `(call $r ${'(i64.const 1) '.repeat(60)})`,
    },
    'STACK_OVERFLOW',
  ),
  attempt(
    'recursion that ends in a host call',
    {
      imports: ['log'],
      fields: '(func $r (call $log (i32.const 0) (i32.const 0) (i32.const 1)) (call $r))',
      body: '(call $r)',
    },
    'STACK_OVERFLOW',
  ),
  attempt(
    'fibonacci of 100',
    {
      fields:
        '(func $fib (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (i32.const 1)) (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))',
      body: '(drop (call $fib (i32.const 100)))',
    },
    'OUT_OF_FUEL',
    SHORT,
  ),
];
