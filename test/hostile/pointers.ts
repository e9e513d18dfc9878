import type { CallName } from '../../provider/sandbox/abi/prices.ts';
import { attempt, type HostileCase } from './case.ts';

/** Every host call that takes a range, with the range left open. */
const calls: [CallName, string][] = [
  ['input_read', '(drop (call $input_read PTR (i32.const 0) LEN))'],
  ['output_write', '(call $output_write PTR LEN)'],
  ['block_read', '(drop (call $block_read (i32.const 1000) (i32.const 36) (i64.const 0) PTR LEN))'],
  ['log', '(call $log (i32.const 0) PTR LEN)'],
  ['fail', '(call $fail PTR LEN)'],
  ['random', '(call $random PTR LEN)'],
  ['sha256', '(call $sha256 PTR LEN (i32.const 0))'],
  ['ed25519_verify', '(drop (call $ed25519_verify (i32.const 0) PTR LEN (i32.const 0)))'],
];

const ranges: [string, number, number][] = [
  ['one byte past the end', 65_530, 7],
  ['a negative pointer', -1, 1],
  ['a negative length', 4, -1],
  ['a sum that overflows 32 bits', -8, 16],
];

const CID = `(data (i32.const 1000) "\\01\\55\\12\\20")`;

const everyRange: HostileCase[] = calls.flatMap(([call, body]) =>
  ranges.map(([what, pointer, length]) =>
    attempt(
      `${what} in ${call}`,
      {
        imports: [call],
        fields: CID,
        body: body.replace('PTR', `(i32.const ${pointer})`).replace('LEN', `(i32.const ${length})`),
      },
      'INVALID_POINTER',
      { limits: { fuelMax: Number.MAX_SAFE_INTEGER } },
    ),
  ),
);

export const pointers: HostileCase[] = [
  ...everyRange,
  attempt(
    'a digest past the end in sha256',
    { imports: ['sha256'], body: '(call $sha256 (i32.const 0) (i32.const 1) (i32.const 65505))' },
    'INVALID_POINTER',
  ),
  attempt(
    'a key past the end in ed25519_verify',
    {
      imports: ['ed25519_verify'],
      body: '(drop (call $ed25519_verify (i32.const 65505) (i32.const 0) (i32.const 1) (i32.const 0)))',
    },
    'INVALID_POINTER',
  ),
  attempt(
    'a signature past the end in ed25519_verify',
    {
      imports: ['ed25519_verify'],
      body: '(drop (call $ed25519_verify (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 65473)))',
    },
    'INVALID_POINTER',
  ),
  attempt(
    'a CID past the end in block_size',
    { imports: ['block_size'], body: '(drop (call $block_size (i32.const 65501) (i32.const 36)))' },
    'INVALID_POINTER',
  ),
  attempt(
    'a CID of four billion bytes',
    { imports: ['block_size'], body: '(drop (call $block_size (i32.const 0) (i32.const -1)))' },
    'INVALID_CID',
  ),
  attempt(
    'a negative offset in block_read',
    {
      imports: ['block_read'],
      fields: CID,
      body: '(drop (call $block_read (i32.const 1000) (i32.const 36) (i64.const -1) (i32.const 0) (i32.const 1)))',
    },
    'INVALID_POINTER',
  ),
  attempt(
    'the largest offset in block_read',
    {
      imports: ['block_read'],
      fields: CID,
      body: '(drop (call $block_read (i32.const 1000) (i32.const 36) (i64.const 0x7fffffffffffffff) (i32.const 0) (i32.const 1))) (call $ok)',
    },
    undefined,
  ),
  attempt(
    'a CID that is overwritten by the block it names',
    {
      imports: ['block_read'],
      fields: CID,
      body: '(drop (call $block_read (i32.const 1000) (i32.const 36) (i64.const 0) (i32.const 990) (i32.const 60))) (call $ok)',
    },
    undefined,
  ),
  attempt(
    'a digest over its own input',
    { imports: ['sha256'], body: '(call $sha256 (i32.const 64) (i32.const 1000) (i32.const 80)) (call $ok)' },
    undefined,
  ),
  attempt(
    'key, message and signature in one place',
    {
      imports: ['ed25519_verify'],
      body: '(drop (call $ed25519_verify (i32.const 64) (i32.const 64) (i32.const 64) (i32.const 64))) (call $ok)',
    },
    undefined,
  ),
  attempt(
    'memory that grew between two calls',
    {
      imports: ['random'],
      body: `(call $random (i32.const 100) (i32.const 8)) (drop (memory.grow (i32.const 2))) (call $random (i32.const 196600) (i32.const 8))
      (call $ok) (call $output_write (i32.const 196600) (i32.const 8))`,
    },
    undefined,
  ),
  attempt(
    'memory that grew under a block_read',
    {
      imports: ['block_read'],
      fields: CID,
      body: `(drop (memory.grow (i32.const 2))) (drop (call $block_read (i32.const 1000) (i32.const 36) (i64.const 0) (i32.const 196000) (i32.const 100))) (call $ok)`,
    },
    undefined,
  ),
];
