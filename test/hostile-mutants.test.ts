import { afterAll, expect, test } from 'vitest';
import { createModuleLoader } from '../provider/modules/index.ts';
import { createSandbox, OUTCOME_FAULTS } from '../provider/sandbox/index.ts';
import { handlerWat, jobOf, loadHandler, parseWat } from '../provider/sandbox/testing/modules.ts';
import { rawCid, WorkswapError } from '../sdk/protocol/index.ts';

/**
 * Goal: a handler with random damage is refused or runs, ends in a documented way, and ends twice in the same way. Method:
 * mutants of handlers that use everything the meter rewrites, through the loader and the pool. The long suite (with
 * WORKSWAP_LONG=1) makes a hundred times as many.
 */
const MUTANTS = process.env['WORKSWAP_LONG'] === '1' ? 60_000 : 600;

const REFUSALS = new Set([
  'NOT_WASM',
  'INVALID_MODULE',
  'FEATURE_REFUSED',
  'MODULE_LIMIT',
  'RESERVED_EXPORT',
  'FORBIDDEN_IMPORT',
  'MISSING_EXPORT',
]);

const parents = [
  handlerWat(),
  handlerWat({
    imports: ['input_read', 'random', 'sha256', 'log', 'time_ms'],
    fields: `(global $g (mut i64) (i64.const 3)) (table $t 4 10 funcref) (elem (i32.const 0) $ok $fib $ok)
      (data $passive "some passive data") (type $i (func (param i32) (result i32)))
      (func $fib (type $i) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (i32.const 1))
        (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))`,
    body: `(local $i i32) (local $f f64)
      (drop (call $input_read (i32.const 100) (i32.const 0) (i32.const 4)))
      (loop $l
        (local.set $f (f64.add (local.get $f) (f64.sqrt (f64.convert_i32_u (local.get $i)))))
        (block $a (block $b (block $c (br_table $a $b $c (i32.and (local.get $i) (i32.const 3)))) (global.set $g (i64.mul (global.get $g) (i64.const 7)))) (nop))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100))))
      (f64.store (i32.const 200) (local.get $f)) (i64.store (i32.const 208) (global.get $g))
      (i32.store (i32.const 216) (call_indirect (type $i) (i32.const 10) (i32.const 1)))
      (memory.init $passive (i32.const 220) (i32.const 0) (i32.const 10)) (memory.copy (i32.const 240) (i32.const 220) (i32.const 10))
      (memory.fill (i32.const 260) (i32.const 9) (i32.const 100)) (drop (memory.grow (i32.const 1)))
      (v128.store (i32.const 400) (i32x4.add (v128.load (i32.const 200)) (i32x4.splat (i32.const 3))))
      (call $random (i32.const 500) (i32.const 16)) (call $sha256 (i32.const 200) (i32.const 400) (i32.const 600))
      (call $log (i32.const 1) (i32.const 220) (i32.const 10)) (i64.store (i32.const 700) (call $time_ms))
      (call $ok) (call $output_write (i32.const 100) (i32.const 900))`,
  }),
].map((wat) => parseWat(wat));

/** xorshift: the same mutants every time. */
let state = 0x2545f491;
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

const INTERESTING = [
  0x00, 0x01, 0x0b, 0x0c, 0x0e, 0x10, 0x11, 0x20, 0x23, 0x24, 0x3f, 0x40, 0x7f, 0x80, 0xfc, 0xfd, 0xff,
];

function mutantOf(parent: Uint8Array): Uint8Array {
  let bytes = [...parent];
  for (let i = random(3); i >= 0; i--) {
    const at = 8 + random(bytes.length - 8);
    const kind = random(5);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes[at] = INTERESTING[random(INTERESTING.length)] ?? 0;
    else if (kind === 2) bytes.splice(at, 1 + random(3));
    else if (kind === 3) bytes.splice(at, 0, random(256));
    else bytes = [...bytes.slice(0, at), ...bytes.slice(at + random(20))];
  }
  return Uint8Array.from(bytes);
}

const blocks = new Map<string, Uint8Array>();
const loader = createModuleLoader({
  getBlock: async (cid) => blocks.get(cid.toString()) ?? Promise.reject(new Error('none')),
});
const sandbox = createSandbox({ threads: 2, spareThreads: 1 });
afterAll(async () => {
  await sandbox.close();
  await loader.close();
});

/** What comes of a mutant, in a form to compare. */
async function fate(bytes: Uint8Array): Promise<{ code: string; detail: unknown }> {
  const cid = rawCid(bytes);
  blocks.set(cid.toString(), bytes);
  try {
    const module = await loader.load(cid);
    const outcome = await sandbox.run(jobOf(module, { limits: { fuelMax: 2_000_000 } }));
    return { code: outcome.error?.code ?? 'ok', detail: { ...outcome, elapsedMs: 0 } };
  } catch (error) {
    if (!(error instanceof WorkswapError)) throw error;
    return { code: error.code, detail: error.message };
  } finally {
    blocks.delete(cid.toString());
  }
}

test(`${MUTANTS} damaged handlers end as documented, twice in the same way`, async () => {
  const seen = new Map<string, number>();
  const honest = jobOf(loadHandler());
  for (let i = 0; i < MUTANTS; i += 20) {
    const mutants = Array.from({ length: 20 }, (_, j) => mutantOf(parents[(i + j) % parents.length] as Uint8Array));
    const first = await Promise.all(mutants.map(fate));
    const second = await Promise.all(mutants.map(fate));
    for (const [j, { code, detail }] of first.entries()) {
      seen.set(code, (seen.get(code) ?? 0) + 1);
      const known = code === 'ok' || REFUSALS.has(code) || Object.hasOwn(OUTCOME_FAULTS, code);
      expect(known, `${code} of ${Buffer.from(mutants[j] ?? []).toString('hex')}`).toBe(true);
      expect(second[j], Buffer.from(mutants[j] ?? []).toString('hex')).toEqual({ code, detail });
    }
    expect((await sandbox.run(honest)).error).toBeUndefined();
  }
  // Without these the mutants would be too dead, or too alive, to say anything.
  expect(seen.get('ok')).toBeGreaterThan(0);
  expect(seen.get('INVALID_MODULE')).toBeGreaterThan(0);
  expect(seen.get('TRAP')).toBeGreaterThan(0);
  expect(sandbox.stats()).toMatchObject({ running: 0, workersLost: 0 });
});
