import type { CallName } from '../../provider/sandbox/abi/prices.ts';
import { importWat as importWasi } from '../../provider/sandbox/wasi/testing.ts';
import type { WasiCall } from '../../provider/sandbox/wasi/index.ts';
import { attempt, module, SHORT, type HostileCase } from './case.ts';

/** Files that the attempts find: one, and a directory of very many. */
export const HUGE_DIRECTORY = 'huge';
export const HUGE_COUNT = 20_000;
export const FILE_PATH = 'dir/file';

const CALLS: CallName[] = ['state_stat', 'state_read', 'state_write', 'state_remove', 'state_list'];
const PLENTY = { limits: { fuelMax: Number.MAX_SAFE_INTEGER } };
const FIELDS = `(data (i32.const 1000) "${FILE_PATH}") (data (i32.const 1100) "${HUGE_DIRECTORY}") (data (i32.const 1200) "new/0000")`;
const FILE = '(i32.const 1000) (i32.const 8)';
const HUGE = '(i32.const 1100) (i32.const 4)';
const NEW = '(i32.const 1200) (i32.const 8)';
const NOTHING = '(i32.const 0) (i32.const 0)';

function update(name: string, body: string, ends: HostileCase['ends'], job: HostileCase['job'] = PLENTY): HostileCase {
  return { ...attempt(name, { imports: CALLS, fields: FIELDS, body }, ends, job), state: 'update' };
}

function query(name: string, body: string, ends: HostileCase['ends']): HostileCase {
  return { ...update(name, body, ends), state: 'query' };
}

const ranges: [what: string, pointer: number, length: number][] = [
  ['one byte past the end', 65_530, 7],
  ['a negative pointer', -1, 1],
  ['a negative length', 4, -1],
  ['a sum that overflows 32 bits', -8, 16],
];

/** Of a path not more is looked at than one may have, so one of four billion bytes is too long wherever it begins. */
const ranged: [what: string, body: string, ofLength: string][] = [
  ['the path of state_stat', '(drop (call $state_stat RANGE))', 'INVALID_PATH'],
  [
    'the path of state_read',
    '(drop (call $state_read RANGE (i64.const 0) (i32.const 0) (i32.const 1)))',
    'INVALID_PATH',
  ],
  ['the target of state_read', `(drop (call $state_read ${FILE} (i64.const 0) RANGE))`, 'INVALID_POINTER'],
  ['the path of state_write', `(call $state_write RANGE ${NOTHING})`, 'INVALID_PATH'],
  ['the source of state_write', `(call $state_write ${NEW} RANGE)`, 'INVALID_POINTER'],
  ['the path of state_remove', '(drop (call $state_remove RANGE))', 'INVALID_PATH'],
  [
    'the path of state_list',
    `(drop (call $state_list RANGE ${NOTHING} (i32.const 2000) (i32.const 512)))`,
    'INVALID_PATH',
  ],
  [
    'the name of state_list',
    `(drop (call $state_list ${HUGE} RANGE (i32.const 2000) (i32.const 512)))`,
    'INVALID_PATH',
  ],
  ['the target of state_list', `(drop (call $state_list ${HUGE} ${NOTHING} RANGE))`, 'INVALID_POINTER'],
];

const everyRange = ranged.flatMap(([where, body, ofLength]) =>
  ranges.map(([what, pointer, length]) =>
    update(
      `${what} in ${where}`,
      body.replace('RANGE', `(i32.const ${pointer}) (i32.const ${length})`),
      length === -1 ? ofLength : 'INVALID_POINTER',
    ),
  ),
);

const names: [what: string, text: string, bytes: number][] = [
  ['the directory above', '..', 2],
  ['a step up in the middle', 'a/../b', 6],
  ['the directory itself', '.', 1],
  ['an absolute path', '/a', 2],
  ['a slash at the end', 'a/', 2],
  ['two slashes', 'a//b', 4],
  ['a NUL', 'a\\00b', 3],
  ['bytes that are no UTF-8', '\\ff\\fe', 2],
  ['half a surrogate', '\\ed\\a0\\80', 3],
  ['an overlong slash', '\\c0\\af', 2],
  ['a name of 256 bytes', 'x'.repeat(256), 256],
  ['4 KiB', 'x/'.repeat(2048), 4096],
  ['33 directories', 'x/'.repeat(33).slice(0, -1), 65],
];

const everyName = names.flatMap(([what, text, bytes]) =>
  ['(call $state_write PATH (i32.const 0) (i32.const 1))', '(drop (call $state_stat PATH))'].map(
    (body): HostileCase => {
      const parts = {
        imports: CALLS,
        fields: `(data (i32.const 2000) "${text}")`,
        body: body.replace('PATH', `(i32.const 2000) (i32.const ${bytes})`),
      };
      const call = body.includes('write') ? 'written' : 'looked at';
      return { ...attempt(`${what} in a path that is ${call}`, parts, 'INVALID_PATH', PLENTY), state: 'update' };
    },
  ),
);

/** The last four digits of the new file's path count up. */
const COUNT = `(local $i i32)`;
const nextPath = [1000, 100, 10, 1]
  .map(
    (digit, i) =>
      `(i32.store8 (i32.const ${1204 + i}) (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $i) (i32.const ${digit})) (i32.const 10))))`,
  )
  .join(' ');
const forever = (body: string): string =>
  `${COUNT} (loop $l ${nextPath} ${body} (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l))`;

export const state: HostileCase[] = [
  ...everyRange,
  ...everyName,
  query('a write in a query', `(call $state_write ${NEW} ${NOTHING})`, 'READ_ONLY'),
  query('a removal in a query', `(drop (call $state_remove ${FILE}))`, 'READ_ONLY'),
  query('a removal of nothing in a query', `(drop (call $state_remove ${NEW}))`, 'READ_ONLY'),
  { ...query('a write without a service', `(call $state_write ${NEW} ${NOTHING})`, 'READ_ONLY'), state: undefined },
  update('a storm of small files', forever(`(call $state_write ${NEW} ${NOTHING})`), 'STATE_LIMIT'),
  update('a storm of writes over one file', forever(`(call $state_write ${FILE} ${NOTHING})`), 'STATE_LIMIT'),
  update('a storm of removals of nothing', forever(`(drop (call $state_remove ${NEW}))`), 'STATE_LIMIT'),
  update(
    'more bytes than a job may write',
    forever(`(call $state_write ${FILE} (i32.const 0) (i32.const 65536))`),
    'STATE_LIMIT',
  ),
  update('a storm of looks', forever(`(drop (call $state_stat ${NEW}))`), 'OUT_OF_FUEL', SHORT),
  update(
    'a storm of listings of a huge directory',
    forever(`(drop (call $state_list ${HUGE} ${NOTHING} (i32.const 2000) (i32.const 60000)))`),
    'OUT_OF_FUEL',
    SHORT,
  ),
  update(
    'a file below a file',
    `(i32.store8 (i32.const 1008) (i32.const 47)) (i32.store8 (i32.const 1009) (i32.const 120))
    (call $state_write (i32.const 1000) (i32.const 10) ${NOTHING})`,
    'STATE_CONFLICT',
  ),
  update('a file over a directory', `(call $state_write ${HUGE} ${NOTHING})`, 'STATE_CONFLICT'),
  update(
    'a negative offset',
    `(drop (call $state_read ${FILE} (i64.const -1) (i32.const 0) (i32.const 1)))`,
    'INVALID_POINTER',
  ),
  update(
    'a list into too little room',
    `(drop (call $state_list ${HUGE} ${NOTHING} (i32.const 2000) (i32.const 511)))`,
    'INVALID_POINTER',
  ),
  update(
    'a name with a slash as a cursor',
    `(drop (call $state_list ${HUGE} ${FILE} (i32.const 2000) (i32.const 512)))`,
    'INVALID_PATH',
  ),
  update(
    'a cursor that no listing gave',
    `(drop (call $state_list ${HUGE} (i32.const 1204) (i32.const 4) (i32.const 2000) (i32.const 512))) (call $ok)`,
    undefined,
  ),
  update(
    'reading behind the end',
    `(if (call $state_read ${FILE} (i64.const 0x7fffffffffffffff) (i32.const 2000) (i32.const 8)) (then unreachable)) (call $ok)`,
    undefined,
  ),
  update(
    'reading a path over itself',
    `(drop (call $state_read ${FILE} (i64.const 0) (i32.const 996) (i32.const 16)))
    (drop (call $state_stat (i32.const 1100) (i32.const 4))) (call $ok)`,
    undefined,
  ),
  update('writing a path as its own content', `(call $state_write ${NEW} ${NEW}) (call $ok)`, undefined),
  update(
    'listing over the path and the cursor',
    `(drop (call $state_list ${HUGE} (i32.const 1204) (i32.const 1) (i32.const 1100) (i32.const 512))) (call $ok)`,
    undefined,
  ),
];

/** A WASI command around a few instructions; its files are those above. */
function command(
  name: string,
  calls: WasiCall[],
  body: string,
  ends: HostileCase['ends'],
  job: HostileCase['job'] = PLENTY,
): HostileCase {
  const wat = `(module ${[...new Set<WasiCall>(['fd_write', ...calls])].map(importWasi).join('\n')}
    (memory (export "memory") 2) ${FIELDS}
    (data (i32.const 0) "\\40\\00\\00\\00\\01\\00\\00\\00") (data (i32.const 64) "\\n")
    (func $ok (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))
    (func $open (param $mode i32) (result i32)
      (call $path_open (i32.const 3) (i32.const 0) ${FILE} (local.get $mode) (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 32)))
    (func (export "_start") ${body}))`;
  return { ...module(name, wat, ends, job), state: 'update' };
}

const OPENS: WasiCall[] = ['path_open'];
const opened = '(drop (call $open (i32.const 0)))';
const buffers = (pointer: number, length: number): string =>
  `(i32.store (i32.const 40) (i32.const ${pointer})) (i32.store (i32.const 44) (i32.const ${length}))`;

export const wasiFiles: HostileCase[] = [
  command(
    'a path outside memory in path_open',
    OPENS,
    `(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 131070) (i32.const 8) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 32)))`,
    'INVALID_POINTER',
  ),
  command(
    'an answer outside memory in path_open',
    OPENS,
    `(drop (call $path_open (i32.const 3) (i32.const 0) ${FILE} (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const -2)))`,
    'INVALID_POINTER',
  ),
  command(
    'a buffer outside memory in fd_read of a file',
    [...OPENS, 'fd_read'],
    `${opened} ${buffers(131_000, 200)} (drop (call $fd_read (i32.const 4) (i32.const 40) (i32.const 1) (i32.const 32)))`,
    'INVALID_POINTER',
  ),
  command(
    'a buffer of four billion bytes in fd_pwrite',
    [...OPENS, 'fd_pwrite'],
    `${opened} ${buffers(8, -1)} (drop (call $fd_pwrite (i32.const 4) (i32.const 40) (i32.const 1) (i64.const 0) (i32.const 32)))`,
    'INVALID_POINTER',
  ),
  command(
    'a listing outside memory',
    [...OPENS, 'fd_readdir'],
    '(drop (call $fd_readdir (i32.const 3) (i32.const 131070) (i32.const 8) (i64.const 0) (i32.const 32)))',
    'INVALID_POINTER',
  ),
  command(
    'reading a file over its own buffers',
    [...OPENS, 'fd_read'],
    `${opened} ${buffers(36, 16)} (drop (call $fd_read (i32.const 4) (i32.const 40) (i32.const 1) (i32.const 32))) (call $ok)`,
    undefined,
  ),
  command('opening without end', OPENS, `(loop (drop (call $open (i32.const 0))) (br 0))`, 'OUT_OF_FUEL', SHORT),
  command(
    'a file that grows without end',
    [...OPENS],
    `${opened} ${buffers(0, 65_536)} (loop (drop (call $fd_write (i32.const 4) (i32.const 40) (i32.const 1) (i32.const 32))) (br 0))`,
    'OUT_OF_FUEL',
    { limits: { fuelMax: 400_000_000, timeoutMs: 20_000 } },
  ),
  command(
    'a directory that is listed without end',
    [...OPENS, 'fd_readdir'],
    `(drop (call $path_open (i32.const 3) (i32.const 0) ${HUGE} (i32.const 2) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 32)))
    (loop (drop (call $fd_readdir (i32.const 4) (i32.const 2000) (i32.const 60000) (i64.const 0) (i32.const 32))) (br 0))`,
    'OUT_OF_FUEL',
    SHORT,
  ),
  command(
    'a listing from a place that no listing gave',
    [...OPENS, 'fd_readdir'],
    `(drop (call $fd_readdir (i32.const 3) (i32.const 2000) (i32.const 512) (i64.const -1) (i32.const 32))) (call $ok)`,
    undefined,
  ),
  command(
    'saving one file without end',
    [...OPENS, 'fd_sync'],
    `${opened} ${buffers(0, 1)} (loop (drop (call $fd_write (i32.const 4) (i32.const 40) (i32.const 1) (i32.const 32))) (drop (call $fd_sync (i32.const 4))) (br 0))`,
    'STATE_LIMIT',
  ),
  command(
    'making directories without end',
    ['path_create_directory', 'path_remove_directory', 'path_open'],
    `(loop (drop (call $path_create_directory (i32.const 3) ${NEW.replace('8', '3')})) (drop (call $path_remove_directory (i32.const 3) ${NEW.replace('8', '3')})) (br 0))`,
    'STATE_LIMIT',
  ),
];
