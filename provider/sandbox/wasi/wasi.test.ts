import { describe, expect, test } from 'vitest';
import { encodeInput } from '../../../sdk/protocol/index.ts';
import { execute } from '../execute.ts';
import { jobOf, loadWat } from '../testing/modules.ts';
import type { Outcome } from '../types.ts';
import type { WasiCall } from './index.ts';
import { importWat } from './testing.ts';

/** Goal: whatever a command does with WASI, it ends as documented. Method: modules written by hand, in the real engine. */
const OK = 'status: 404 Not Found\\ncontent-type: text/plain\\n\\nbody';

/** A command whose answer, `text`, lies at 1024 and is written by `(call $ok)`; `(call $is a b)` traps unless they are equal. */
function command(imports: WasiCall[], body: string, text = OK): string {
  const size = Buffer.from(text.replaceAll('\\n', '\n').replaceAll('\\r', '\r').replaceAll('\\ff', 'x')).length;
  return `(module
    ${[...new Set<WasiCall>(['fd_write', ...imports])].map(importWat).join('\n')}
    (memory (export "memory") 1)
    (data (i32.const 0) "\\00\\04\\00\\00\\${size.toString(16).padStart(2, '0')}\\00\\00\\00")
    (data (i32.const 1024) "${text}")
    (func $is (param i32 i32) (if (i32.ne (local.get 0) (local.get 1)) (then unreachable)))
    (func $ok (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))
    (func (export "_start") ${body}))`;
}

function run(wat: string, headers: Record<string, string> = {}, fuelMax = 1e9): Outcome {
  const seed = new Uint8Array(32);
  const body = new TextEncoder().encode('stdin');
  const input = encodeInput({ method: 'PUT', path: '/p', query: 'q', headers, body, timeMs: 1000, seed }, 'me');
  return execute(jobOf(loadWat(wat), { input, limits: { fuelMax } }));
}

const text = (outcome: Outcome): string => Buffer.from(outcome.body).toString('latin1');

describe('a response on stdout', () => {
  test('becomes status, headers and body', () => {
    const outcome = run(command([], '(call $ok) (call $ok)'));
    expect(outcome).toMatchObject({ status: 404, headers: { 'content-type': 'text/plain' } });
    expect(text(outcome)).toMatch(/^bodystatus: 404/);
  });

  test.each<[string, string, number, Record<string, string>]>([
    ['a location alone redirects', 'Location: /x\\r\\n\\r\\n', 302, { location: '/x' }],
    ['no header at all is a 200', '\\nhi', 200, {}],
    ['equal names are joined', 'a: 1\\nA: 2\\n\\n', 200, { a: '1, 2' }],
    ['cookies stay apart', 'Set-Cookie: a=1\\nset-cookie: b=2\\n\\n', 200, { 'set-cookie': 'a=1\nb=2' }],
    ['__proto__ is a name', '__proto__: 1\\nb: 2\\n\\n', 200, { b: '2' }],
  ])('%s', (_, answer, status, headers) => {
    expect(run(command([], '(call $ok)', answer))).toMatchObject({ status, headers });
  });

  test.each([
    ['no blank line', 'a: 1\\n'],
    ['a line without a colon', 'hello\\n\\n'],
    ['a name with a space', 'a b: 1\\n\\n'],
    ['a status beyond 599', 'status: 999\\n\\n'],
    ['bytes that are not UTF-8', 'a: \\ff\\n\\n'],
  ])('with %s is INVALID_OUTPUT', (_, answer) => {
    expect(run(command([], '(call $ok)', answer)).error?.code).toBe('INVALID_OUTPUT');
  });

  test('that never ends its header lines is INVALID_OUTPUT, not memory', () => {
    expect(run(command([], '(loop (call $ok) (br 0))', 'a: 1\\n')).error?.code).toBe('INVALID_OUTPUT');
  });
});

describe('the process', () => {
  test('exits with 0 as if it had returned, and is stopped there', () => {
    const outcome = run(command(['proc_exit'], '(call $ok) (call $proc_exit (i32.const 0)) unreachable'));
    expect(outcome).toMatchObject({ status: 404 });
    expect(outcome.error).toBeUndefined();
  });

  test('fails with another code and its stderr', () => {
    const body = `(drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 16)))
      (call $proc_exit (i32.const 7))`;
    const { error, logs } = run(command(['proc_exit'], body, 'oh no'));
    expect(error).toMatchObject({ code: 'HANDLER_FAILED', message: 'The handler exited with code 7: oh no' });
    expect(logs).toEqual([{ level: 2, message: 'oh no' }]);
  });

  test('sees its request as variables, and no header as HTTP_PROXY', () => {
    const body = `(call $ok) (drop (call $environ_get (i32.const 8192) (i32.const 16384)))
      (i32.store (i32.const 0) (i32.const 16384)) (i32.store (i32.const 4) (i32.const 700)) (call $ok)`;
    const variables = text(run(command(['environ_get'], body), { proxy: 'evil', 'x-a': 'one\0two' })).split('\0');
    expect(variables).toEqual(
      expect.arrayContaining([
        'REQUEST_METHOD=PUT',
        'PATH_INFO=/p',
        'QUERY_STRING=q',
        'REMOTE_USER=me',
        'HTTP_X_A=onetwo',
      ]),
    );
    expect(variables.some((each) => each.startsWith('HTTP_PROXY'))).toBe(false);
  });

  test('reads its body once and then the end', () => {
    const read = '(call $is (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)) (i32.const 0))';
    const body = `(call $ok) (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 60))
      ${read} (call $is (i32.load (i32.const 16)) (i32.const 5))
      ${read} (call $is (i32.load (i32.const 16)) (i32.const 0)) (call $ok)`;
    expect(text(run(command(['fd_read'], body)))).toMatch(/^bodystdin\0/);
  });

  test('has a clock that stands still, the random stream, and waits for nothing', () => {
    const body = `(call $is (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 64)) (i32.const 0))
      (if (i64.ne (i64.load (i32.const 64)) (i64.const 1000000000)) (then unreachable))
      (call $is (call $clock_time_get (i32.const 9) (i64.const 0) (i32.const 64)) (i32.const 28))
      (call $is (call $random_get (i32.const 64) (i32.const 8)) (i32.const 0))
      (call $is (call $poll_oneoff (i32.const 128) (i32.const 256) (i32.const 2) (i32.const 512)) (i32.const 0))
      (call $is (i32.load (i32.const 512)) (i32.const 2)) (call $ok)`;
    expect(run(command(['clock_time_get', 'random_get', 'poll_oneoff'], body)).error).toBeUndefined();
  });

  test('gets no socket, no link and no directory but the state, but an errno', () => {
    const body = `(call $is (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 64)) (i32.const 52))
      (call $is (call $path_symlink (i32.const 0) (i32.const 0) (i32.const 3) (i32.const 0) (i32.const 0)) (i32.const 52))
      (call $is (call $fd_prestat_get (i32.const 4) (i32.const 64)) (i32.const 8))
      (call $is (call $fd_close (i32.const -1)) (i32.const 8)) (call $ok)`;
    const outcome = run(command(['sock_accept', 'path_symlink', 'fd_prestat_get', 'fd_close'], body));
    expect(outcome.error).toBeUndefined();
  });

  test('starts afresh in every job', () => {
    expect(loadWat(command([], '(call $ok)')).resettable).toBe(false);
  });
});

describe('an attack', () => {
  test.each<[string, WasiCall, string]>([
    [
      'buffers outside memory',
      'fd_write',
      '(call $fd_write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 16))',
    ],
    ['a count outside memory', 'fd_write', '(call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const -1))'],
    [
      'a buffer of 2^32 bytes',
      'fd_write',
      '(i32.store (i32.const 4) (i32.const -1)) (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))',
    ],
    [
      'reading over the end of memory',
      'fd_read',
      '(i32.store (i32.const 0) (i32.const 65530)) (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16))',
    ],
    ['variables outside memory', 'environ_get', '(call $environ_get (i32.const 0) (i32.const 65530))'],
    ['pointers outside memory', 'args_get', '(call $args_get (i32.const 65534) (i32.const 0))'],
    ['a time outside memory', 'clock_time_get', '(call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 65530))'],
    [
      'events outside memory',
      'poll_oneoff',
      '(call $poll_oneoff (i32.const 0) (i32.const 65530) (i32.const 1) (i32.const 0))',
    ],
  ])('by %s ends the job', (_, name, body) => {
    expect(run(command([name], `(drop (block (result i32) ${body}))`)).error?.code).toBe('INVALID_POINTER');
  });

  test.each<[string, WasiCall, string]>([
    ['buffers', 'fd_write', '(call $fd_write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 16))'],
    ['subscriptions', 'poll_oneoff', '(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0))'],
  ])('by 2^32 %s is answered with EINVAL', (_, name, body) => {
    expect(run(command([name], `(call $is ${body} (i32.const 28)) (call $ok)`)).error).toBeUndefined();
  });

  test.each<[string, WasiCall, string]>([
    ['environment', 'environ_get', '(call $environ_get (i32.const 8192) (i32.const 16384))'],
    ['yielding', 'sched_yield', '(call $sched_yield)'],
    ['waiting', 'poll_oneoff', '(call $poll_oneoff (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 512))'],
    [
      'what is not there',
      'path_open',
      `(call $path_open ${'(i32.const 3) '.repeat(5)}(i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0))`,
    ],
    ['randomness of 2^32 bytes', 'random_get', '(call $random_get (i32.const 0) (i32.const -1))'],
  ])('by endless %s runs out of fuel', (_, name, body) => {
    const outcome = run(command([name], `(loop (drop ${body}) (br 0))`), {}, 3_000_000);
    expect(outcome).toMatchObject({ fuel: 3_000_000, error: { code: 'OUT_OF_FUEL' } });
  });
});

test('an import of another name or type is refused', () => {
  for (const item of ['"fd_write" (func (param i32))', '"sock_open" (func)', '"__proto__" (func)']) {
    const wat = `(module (import "wasi_snapshot_preview1" ${item}) (memory (export "memory") 1) (func (export "_start")))`;
    expect(() => loadWat(wat)).toThrow(expect.objectContaining({ code: 'FORBIDDEN_IMPORT' }));
  }
});
