import { describe, expect, test } from 'vitest';
import { createNodeHost } from '../node-host.ts';
import { handlerWat, jobOf, loadWat, type HandlerParts } from '../testing/modules.ts';
import type { LoadedModule } from '../types.ts';
import { Engine } from './engine.ts';
import { InstanceCache } from './instance-cache.ts';

/**
 * Goal: nothing of one job is visible to the next, whatever it left behind. Method: a handler whose input's first byte says
 * whether it soils everything it can reach or answers all it sees; what it sees after soiling must be, byte for byte, what
 * it sees in an instance that never ran.
 */
function soilOrLook(parts: { memory?: string; fields?: string; soil: string; look: string }): LoadedModule {
  const wat: HandlerParts = {
    imports: ['input_read'],
    memory: parts.memory ?? '1',
    fields: parts.fields ?? '',
    body: `
      (drop (call $input_read (i32.const 32) (i32.const 0) (i32.const 1)))
      (if (i32.load8_u (i32.const 32))
        (then ${parts.soil} (call $ok))
        (else (call $ok) (i32.store8 (i32.const 32) (i32.const 0)) ${parts.look}))`,
  };
  return loadWat(handlerWat(wat));
}

const soil = new Uint8Array([1]);
const look = new Uint8Array([0]);

function engine(): Engine {
  return new Engine(createNodeHost(), new InstanceCache(1 << 30));
}

/** What the handler sees in a new instance, and after `times` jobs that soiled theirs. */
function compare(module: LoadedModule, times = 3): { clean: unknown; after: unknown } {
  const fresh = engine().run(jobOf(module, { input: look }));
  expect(fresh.error).toBeUndefined();
  const clean = { body: fresh.body.slice(), fuel: fresh.fuel, pages: fresh.memoryPagesPeak };
  const used = engine();
  for (let i = 0; i < times; i++) used.run(jobOf(module, { input: soil }));
  const outcome = used.run(jobOf(module, { input: look }));
  expect(outcome.error).toBeUndefined();
  return { clean, after: { body: outcome.body.slice(), fuel: outcome.fuel, pages: outcome.memoryPagesPeak } };
}

const answerMemory = '(call $output_write (i32.const 0) (i32.shl (memory.size) (i32.const 16)))';

describe('the next job sees nothing of the last one', () => {
  test('in memory, data segments included', () => {
    const module = soilOrLook({
      fields: '(data (i32.const 5000) "original") (data (i32.const 60000) "end")',
      soil: '(memory.fill (i32.const 0) (i32.const 170) (i32.const 65536)) (memory.copy (i32.const 0) (i32.const 0) (i32.const 1))',
      look: answerMemory,
    });
    // The soiling job overwrites its own head, so it fails; so does one that leaves the head alone.
    const leavesHead = soilOrLook({
      fields: '(data (i32.const 5000) "original") (data (i32.const 60000) "end")',
      soil: '(memory.fill (i32.const 40) (i32.const 170) (i32.const 65496))',
      look: answerMemory,
    });
    for (const each of [module, leavesHead]) {
      const { clean, after } = compare(each);
      expect(after).toEqual(clean);
    }
    expect(leavesHead.resettable).toBe(true);
  });

  test('in globals of every type', () => {
    const module = soilOrLook({
      fields: `(global $a (mut i32) (i32.const 7)) (global $b (mut i64) (i64.const -8))
        (global $c (mut f32) (f32.const 1.5)) (global $d (mut f64) (f64.const -2.5)) (global $e (mut v128) (v128.const i64x2 3 4))
        (global $f (export "exported") (mut i32) (i32.const 9))`,
      soil: `(global.set $a (i32.const 1)) (global.set $b (i64.const 1)) (global.set $c (f32.const 1)) (global.set $d (f64.const 1))
        (global.set $e (v128.const i64x2 1 1)) (global.set $f (i32.const 1))`,
      look: `(i32.store (i32.const 100) (global.get $a)) (i64.store (i32.const 104) (global.get $b))
        (f32.store (i32.const 112) (global.get $c)) (f64.store (i32.const 116) (global.get $d))
        (v128.store (i32.const 128) (global.get $e)) (i32.store (i32.const 144) (global.get $f)) ${answerMemory}`,
    });
    const { clean, after } = compare(module);
    expect(after).toEqual(clean);
  });

  test('in grown memory', () => {
    const module = soilOrLook({
      soil: '(drop (memory.grow (i32.const 4))) (memory.fill (i32.const 65536) (i32.const 3) (i32.const 65536))',
      look: answerMemory,
    });
    const { clean, after } = compare(module);
    expect(after).toEqual(clean);
  });

  test('in tables', () => {
    const module = soilOrLook({
      fields: '(table $t 4 8 funcref) (elem (table $t) (i32.const 1) func $ok)',
      soil: '(table.set $t (i32.const 0) (ref.func $ok)) (drop (table.grow $t (ref.func $ok) (i32.const 2)))',
      look: `(i32.store (i32.const 100) (table.size $t))
        (i32.store (i32.const 104) (ref.is_null (table.get $t (i32.const 0)))) ${answerMemory}`,
    });
    const { clean, after } = compare(module);
    expect(after).toEqual(clean);
    expect(module.resettable).toBe(false);
  });

  test('in dropped segments', () => {
    const module = soilOrLook({
      fields: '(data $passive "passive")',
      soil: '(data.drop $passive)',
      look: `(memory.init $passive (i32.const 100) (i32.const 0) (i32.const 7)) ${answerMemory}`,
    });
    const { clean, after } = compare(module);
    expect(after).toEqual(clean);
  });

  test('after a trap in the middle of everything', () => {
    const module = soilOrLook({
      fields: '(global $a (mut i32) (i32.const 7))',
      soil: '(global.set $a (i32.const 1)) (memory.fill (i32.const 100) (i32.const 170) (i32.const 1000)) (unreachable)',
      look: `(i32.store (i32.const 100) (global.get $a)) ${answerMemory}`,
    });
    const { clean, after } = compare(module);
    expect(after).toEqual(clean);
  });

  test('in the host: input, output, logs, random numbers, fuel', () => {
    const module = loadWat(
      handlerWat({
        imports: ['input_read', 'input_size', 'log', 'random'],
        body: `(drop (call $input_read (i32.const 100) (i32.const 0) (call $input_size)))
          (call $random (i32.const 200) (i32.const 40)) (call $log (i32.const 1) (i32.const 100) (call $input_size))
          (call $ok) ${answerMemory}`,
      }),
    );
    const long = jobOf(module, { input: new Uint8Array(500).fill(65), seed: new Uint8Array(32).fill(9) });
    const short = jobOf(module, { input: new Uint8Array([66]) });
    const fresh = { ...engine().run(short), elapsedMs: 0 };
    const used = engine();
    used.run(long);
    expect({ ...used.run(short), elapsedMs: 0 }).toEqual(fresh);
    expect(fresh.logs).toEqual([{ level: 1, message: 'B' }]);
  });
});

test('a clean instance is used again, and one that trapped is not', () => {
  const dropped: number[] = [];
  const used = new Engine(createNodeHost(), new InstanceCache(1 << 30, (bytes) => dropped.push(bytes)));
  const module = soilOrLook({ soil: '(unreachable)', look: '' });
  for (let i = 0; i < 5; i++) expect(used.run(jobOf(module, { input: look })).error).toBeUndefined();
  expect(dropped).toHaveLength(0);
  expect(used.run(jobOf(module, { input: soil })).error?.code).toBe('TRAP');
  expect(dropped).toHaveLength(1);
});
