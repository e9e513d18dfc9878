import { expect, test } from 'vitest';
import { execute } from '../execute.ts';
import { jobOf, loadHandler } from '../testing/modules.ts';

const WORK = `(local $i i32) (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))`;
const FUEL = 50_000_000;

test.each([
  ['a division by zero', '(drop (i32.div_u (i32.const 1) (i32.const 0)))'],
  ['an access outside memory', '(drop (i32.load (i32.const -1)))'],
  ['a call of an empty table entry', '(call_indirect (type $none) (i32.const 0))'],
])('computing and then ending in %s is not free', (_, trap) => {
  const module = loadHandler({ fields: '(type $none (func)) (table 1 funcref)', body: `${WORK} ${trap}` });
  const outcome = execute(jobOf(module, { limits: { fuelMax: FUEL } }));
  expect(outcome).toMatchObject({ error: { code: 'TRAP', fault: 'handler' }, fuel: FUEL });
});

test('giving up by unreachable, or by fail, costs what was burnt and no more', () => {
  const aborting = loadHandler({ body: `${WORK} (unreachable)` });
  const failing = loadHandler({ imports: ['fail'], body: `${WORK} (call $fail (i32.const 0) (i32.const 0))` });
  for (const module of [aborting, failing]) {
    const { fuel, error } = execute(jobOf(module, { limits: { fuelMax: FUEL } }));
    expect(error).toBeDefined();
    expect(fuel).toBeGreaterThan(300_000);
    expect(fuel).toBeLessThan(2_000_000);
  }
});

test('a module that cannot be instantiated burns nothing', () => {
  const module = loadHandler({ fields: '(data (i32.const 65535) "xx")' });
  expect(execute(jobOf(module))).toMatchObject({ error: { code: 'TRAP' }, fuel: 0, memoryPagesPeak: 0 });
});
