import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ABI_LIMITS } from '../abi/limits.ts';
import { CALL_PRICES, type CallName } from '../abi/prices.ts';
import { execute } from '../execute.ts';
import { createNodeHost } from '../node-host.ts';
import { JobEnd } from '../errors.ts';
import { handlerWat, jobOf, loadWat, type JobParts } from '../testing/modules.ts';
import type { Outcome } from '../types.ts';

const CID = Uint8Array.of(1, 0x55, 0x12, 32, ...new Uint8Array(32).fill(7));
const FILE = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

const host = createNodeHost({
  readFile: (_, offset, length) => FILE.slice(offset, offset + length),
  fileSize: () => FILE.length,
});

/** Runs a body whose memory has the CID at 1000 and room for answers from 2000 on. */
function run(imports: CallName[], body: string, parts: JobParts = {}): Outcome {
  const cid = [...CID].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  const module = loadWat(
    handlerWat({ imports, fields: `(data (i32.const 1000) "${cid}") (global $g (mut i64) (i64.const 0))`, body }),
  );
  return execute(jobOf(module, parts), host);
}

/** The body of the response: `length` bytes of memory from 2000 on. */
const answer = (length: number): string => `(call $ok) (call $output_write (i32.const 2000) (i32.const ${length}))`;

describe('the input', () => {
  test('arrives whole, in parts, and no byte more', () => {
    const input = Uint8Array.from({ length: 10 }, (_, i) => i + 1);
    const outcome = run(
      ['input_size', 'input_read'],
      `(i32.store8 (i32.const 2000) (call $input_size))
       (i32.store8 (i32.const 2001) (call $input_read (i32.const 2002) (i32.const 7) (i32.const 100)))
       (i32.store8 (i32.const 2001) (i32.add (i32.load8_u (i32.const 2001)) (call $input_read (i32.const 2006) (i32.const -1) (i32.const 5))))
       ${answer(8)}`,
      { input },
    );
    expect(outcome.error).toBeUndefined();
    expect([...outcome.body]).toEqual([10, 3, 8, 9, 10, 0, 0, 0]);
  });
});

describe('messages', () => {
  const peer = '12D3KooWKWnPDmm7xNydzDMMMGLtge7kYmdxJS1PXNN4eqE1hGCf';
  const send = (to: [number, number], body: [number, number], writable = true): Outcome => {
    const args = [...to, ...body].map((value) => `(i32.const ${value})`).join(' ');
    const fields = `(data (i32.const 1000) "${peer}")`;
    const module = loadWat(handlerWat({ imports: ['send'], fields, body: `(call $send ${args}) (call $ok)` }));
    const view = { stat: () => undefined, read: () => undefined, list: () => undefined };
    return execute({ ...jobOf(module), state: { view, writable } }, host);
  };

  test('leave with the outcome, priced by their bytes', () => {
    const empty = send([1000, peer.length], [0, 0]);
    expect(empty.messages).toEqual([{ to: peer, body: new Uint8Array() }]);
    expect(empty.writtenBytes).toBe(4096 + peer.length);
    const whole = send([1000, peer.length], [0, 60_000]);
    expect(whole.messages).toMatchObject([{ to: peer }]);
    expect(whole.writtenBytes - empty.writtenBytes).toBe(60_000);
    expect(whole.fuel - empty.fuel).toBe(60_000 * CALL_PRICES.send.perByte);
  });

  test.each<[string, [number, number], [number, number]]>([
    ['INVALID_POINTER', [1000, peer.length], [65_535, 2]],
    ['INVALID_POINTER', [1000, peer.length], [-1, 1]],
    ['INVALID_POINTER', [65_530, 60], [0, 0]],
    ['INVALID_POINTER', [-8, -1], [0, 0]],
    ['INVALID_RECIPIENT', [1000, -1], [0, 0]],
    ['INVALID_RECIPIENT', [1000, 0], [0, 0]],
    ['INVALID_RECIPIENT', [0, peer.length], [0, 0]],
    ['OUT_OF_FUEL', [1000, peer.length], [0, -1]],
  ])('with a bad argument end with %s: %j %j', (code, to, body) => {
    expect(send(to, body)).toMatchObject({ error: { code } });
  });

  test('are for updates only', () => {
    expect(send([1000, peer.length], [0, 0], false)).toMatchObject({ error: { code: 'READ_ONLY' } });
  });
});

describe('the output', () => {
  test('is the head and whatever is written after it', () => {
    const outcome = run(
      [],
      `(i32.store (i32.const 2000) (i32.const 0x04030201)) ${answer(4)} (call $output_write (i32.const 2000) (i32.const 2))`,
    );
    expect(outcome).toMatchObject({ status: 200, headers: {}, outputBytes: 25 });
    expect([...outcome.body]).toEqual([1, 2, 3, 4, 1, 2]);
  });

  test('must be there', () => {
    expect(run([], '(nop)').error).toMatchObject({ code: 'INVALID_OUTPUT', fault: 'handler' });
  });

  test('must start with a head', () => {
    expect(run([], '(call $output_write (i32.const 1) (i32.const 18))').error?.code).toBe('INVALID_OUTPUT');
  });

  test('ends at its limit, and what was written before stays', () => {
    const outcome = run([], `${answer(30)} (loop $l (call $output_write (i32.const 2000) (i32.const 30)) (br $l))`, {
      limits: { outputBytesMax: 100 },
    });
    expect(outcome.error?.code).toBe('OUTPUT_LIMIT');
    expect(outcome.outputBytes).toBe(19 + 60);
  });
});

describe('blocks', () => {
  test('are read by range, and an empty read means the end', () => {
    const outcome = run(
      ['block_read', 'block_size'],
      `(i64.store (i32.const 2000) (call $block_size (i32.const 1000) (i32.const 36)))
       (i32.store (i32.const 2008) (call $block_read (i32.const 1000) (i32.const 36) (i64.const 998) (i32.const 2100) (i32.const 10)))
       (i32.store (i32.const 2012) (call $block_read (i32.const 1000) (i32.const 36) (i64.const 1000) (i32.const 2100) (i32.const 10)))
       (i32.store (i32.const 2016) (call $block_read (i32.const 1000) (i32.const 36) (i64.const 0x7fffffffffffffff) (i32.const 2100) (i32.const 10)))
       (i32.store (i32.const 2020) (call $block_read (i32.const 1000) (i32.const 36) (i64.const 0) (i32.const 2100) (i32.const 0)))
       ${answer(24)}`,
    );
    expect(outcome.error).toBeUndefined();
    expect(outcome.readBytes).toBe(2);
    expect([...new Uint32Array(outcome.body.slice().buffer)]).toEqual([1000, 0, 2, 0, 0, 0]);
  });

  test('that are no files end the job with an outcome; that are not there end it without', () => {
    const module = loadWat(
      handlerWat({
        imports: ['block_size'],
        fields: `(data (i32.const 1000) "\\01\\55\\00\\00")`,
        body: '(drop (call $block_size (i32.const 1000) (i32.const 4)))',
      }),
    );
    const noFile = createNodeHost({
      fileSize() {
        throw new JobEnd('NOT_A_FILE', 'it is a directory');
      },
    });
    expect(execute(jobOf(module), noFile).error?.code).toBe('NOT_A_FILE');
    expect(() => execute(jobOf(module))).toThrow(
      expect.objectContaining({ code: 'BLOCK_UNAVAILABLE', retryable: true }),
    );
  });

  test.each([
    ['an empty CID', 0, 0],
    ['a cut CID', 1000, 35],
    ['a CID with a byte too many', 1000, 37],
    ['something else', 2000, 36],
    ['a CID longer than any', 1000, 60_000],
  ])('are not read by %s', (_, pointer, length) => {
    const outcome = run(['block_size'], `(drop (call $block_size (i32.const ${pointer}) (i32.const ${length})))`);
    expect(outcome.error?.code).toBe('INVALID_CID');
  });

  test('at a negative offset, or too many bytes at once, are refused', () => {
    const read = (offset: string, length: number): string | undefined =>
      run(
        ['block_read'],
        `(drop (call $block_read (i32.const 1000) (i32.const 36) (i64.const ${offset}) (i32.const 0) (i32.const ${length})))`,
      ).error?.code;
    expect(read('-1', 10)).toBe('INVALID_POINTER');
    expect(read('0', 16 * 1024 * 1024 + 1)).toBe('INVALID_POINTER');
  });
});

describe('time, randomness, hashes and signatures', () => {
  test('follow from the task alone', () => {
    const seed = new Uint8Array(32).fill(3);
    const body = `(i64.store (i32.const 2000) (call $time_ms)) (call $random (i32.const 2008) (i32.const 10))
      (call $random (i32.const 2018) (i32.const 60)) ${answer(78)}`;
    const outcome = run(['time_ms', 'random'], body, { seed, timeMs: 1_700_000_000_123 });
    const bytes = Buffer.from(outcome.body);
    expect(bytes.readBigInt64LE(0)).toBe(1_700_000_000_123n);
    const block = (i: number): Buffer => {
      const counter = Buffer.alloc(8);
      counter.writeBigUInt64LE(BigInt(i));
      return createHash('sha256').update(seed).update(counter).digest();
    };
    const stream = Buffer.concat([block(0), block(1), block(2)]);
    expect(bytes.subarray(8)).toEqual(stream.subarray(0, 70));
  });

  test('sha256 may overlap its own input', () => {
    const outcome = run(
      ['sha256'],
      `(call $sha256 (i32.const 1000) (i32.const 36) (i32.const 1010))
      (memory.copy (i32.const 2000) (i32.const 1010) (i32.const 32)) ${answer(32)}`,
    );
    expect(Buffer.from(outcome.body)).toEqual(createHash('sha256').update(CID).digest());
  });

  test('sha256 of many bytes, which is done in steps, is the same digest', () => {
    const outcome = run(
      ['sha256'],
      `(drop (memory.grow (i32.const 63))) (memory.fill (i32.const 4096) (i32.const 7) (i32.const 3000000))
       (call $sha256 (i32.const 4096) (i32.const 3000000) (i32.const 2000)) ${answer(32)}`,
    );
    expect(Buffer.from(outcome.body)).toEqual(createHash('sha256').update(new Uint8Array(3_000_000).fill(7)).digest());
  });

  test('a message that would hold the worker up is not verified', () => {
    const verify = (length: number): Outcome =>
      run(
        ['ed25519_verify'],
        `(drop (memory.grow (i32.const 200)))
         (drop (call $ed25519_verify (i32.const 0) (i32.const 0) (i32.const ${length}) (i32.const 0))) (call $ok)`,
      );
    expect(verify(ABI_LIMITS.verifyBytesMax).error).toBeUndefined();
    expect(verify(ABI_LIMITS.verifyBytesMax + 1).error?.code).toBe('INVALID_POINTER');
  });

  test('a signature is accepted, and a changed one is not', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const key = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const signature = sign(null, Buffer.from('message'), privateKey);
    const input = Buffer.concat([key, signature, Buffer.from('message')]);
    const body = `(drop (call $input_read (i32.const 3000) (i32.const 0) (i32.const 200)))
      (i32.store (i32.const 2000) (call $ed25519_verify (i32.const 3000) (i32.const 3096) (i32.const 7) (i32.const 3032)))
      (i32.store8 (i32.const 3040) (i32.add (i32.load8_u (i32.const 3040)) (i32.const 1)))
      (i32.store (i32.const 2004) (call $ed25519_verify (i32.const 3000) (i32.const 3096) (i32.const 7) (i32.const 3032)))
      (i32.store (i32.const 2008) (call $ed25519_verify (i32.const 60000) (i32.const 3096) (i32.const 7) (i32.const 60000)))
      ${answer(12)}`;
    const outcome = run(['input_read', 'ed25519_verify'], body, { input });
    expect([...new Uint32Array(outcome.body.slice().buffer)]).toEqual([1, 0, 0]);
  });
});

describe('log and fail', () => {
  test('a log is kept up to a bound, broken text included', () => {
    const outcome = run(
      ['log'],
      `(i32.store (i32.const 2000) (i32.const 0x80ff6162)) (call $log (i32.const 3) (i32.const 2000) (i32.const 4))
       (loop $l (call $log (i32.const 1) (i32.const 2000) (i32.const 0)) (global.set $g (i64.add (global.get $g) (i64.const 1)))
         (br_if $l (i64.lt_u (global.get $g) (i64.const 5000)))) (call $ok)`,
    );
    expect(outcome.logs[0]).toEqual({ level: 3, message: 'ba\ufffd\ufffd' });
    expect(outcome.logs.length).toBeLessThan(600);
  });

  test('fail ends the job with the handler’s words', () => {
    const outcome = run(
      ['fail'],
      `(i32.store (i32.const 2000) (i32.const 0x6f6f6f6e)) (call $fail (i32.const 2000) (i32.const 4)) (unreachable)`,
    );
    expect(outcome.error).toEqual({ code: 'HANDLER_FAILED', message: 'nooo', fault: 'handler' });
  });
});

describe('what a handler passes is not believed', () => {
  const ranges: [CallName, string][] = [
    ['input_read', '(drop (call $input_read PTR (i32.const 0) LEN))'],
    ['output_write', '(call $output_write PTR LEN)'],
    ['block_read', '(drop (call $block_read (i32.const 1000) (i32.const 36) (i64.const 0) PTR LEN))'],
    ['log', '(call $log (i32.const 0) PTR LEN)'],
    ['fail', '(call $fail PTR LEN)'],
    ['random', '(call $random PTR LEN)'],
    ['sha256', '(call $sha256 PTR LEN (i32.const 0))'],
    ['ed25519_verify', '(drop (call $ed25519_verify (i32.const 0) PTR LEN (i32.const 0)))'],
  ];
  const outside: [number, number][] = [
    [65_536, 1],
    [65_530, 7],
    [-1, 1],
    [-1, 2],
    [0, 65_537],
    [0, 16_000_000],
    [0x7fffffff, 1],
    [-2147483648, 16],
    [4, -4],
    [-8, 16],
  ];
  test.each(ranges)('%s refuses every range outside memory', (call, code) => {
    for (const [pointer, length] of outside) {
      const body = code.replace('PTR', `(i32.const ${pointer})`).replace('LEN', `(i32.const ${length})`);
      const outcome = run([call], body, { limits: { fuelMax: Number.MAX_SAFE_INTEGER } });
      expect(outcome.error, `${call} ${pointer} ${length}`).toMatchObject({
        code: 'INVALID_POINTER',
        fault: 'handler',
      });
    }
  });

  test('an empty range at the very end is inside', () => {
    expect(run(['random'], '(call $random (i32.const 65536) (i32.const 0)) (call $ok)').error).toBeUndefined();
    expect(run(['random'], '(call $random (i32.const 65537) (i32.const 0)) (call $ok)').error?.code).toBe(
      'INVALID_POINTER',
    );
  });

  test('pointers are unsigned, and memory that grew is seen', () => {
    const body = `(drop (memory.grow (i32.const 3))) (call $random (i32.const 262140) (i32.const 4)) (call $ok)
      (call $output_write (i32.const 262140) (i32.const 4))`;
    const outcome = run(['random'], body);
    expect(outcome.error).toBeUndefined();
    expect(outcome.body).toHaveLength(4);
    expect(outcome.memoryPagesPeak).toBe(4);
  });
});

describe('every call has its price', () => {
  test('which is charged before it works', () => {
    const price = CALL_PRICES.random.fixed + 1000 * CALL_PRICES.random.perByte;
    const body = '(call $random (i32.const 2000) (i32.const 1000)) (call $ok)';
    const { fuel } = run(['random'], body);
    expect(run(['random'], body, { limits: { fuelMax: fuel } }).error).toBeUndefined();
    expect(run(['random'], body, { limits: { fuelMax: fuel - 1 } })).toMatchObject({
      error: { code: 'OUT_OF_FUEL' },
      fuel: fuel - 1,
    });
    const early = run(['random'], body, { limits: { fuelMax: price - 1 } });
    expect(early).toMatchObject({ error: { code: 'OUT_OF_FUEL' }, fuel: price - 1, outputBytes: 0 });
  });
});
