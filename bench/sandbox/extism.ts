import createPlugin from '@extism/extism';
import { parseWat } from '../../provider/sandbox/testing/modules.ts';
import { rate } from './load.ts';

const EXTISM_CALLS = 2000;

/** Extism's answer to hello: reads nothing, allocates its output and sets it. */
const EXTISM_WAT = `(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (memory (export "memory") 1)
  (func (export "handle") (result i32) (local $at i64)
    (local.set $at (call $alloc (i64.const 8)))
    (call $store (local.get $at) (i64.const 0x216f6c6c6548))
    (call $output (local.get $at) (i64.const 8))
    (i32.const 0)))`;

/** Calls per second of ours and theirs in turn. */
export async function extismRatios(ours: () => Promise<unknown>): Promise<{ ratios: number[]; rates: number[] }> {
  const module = new WebAssembly.Module(parseWat(EXTISM_WAT) as Uint8Array<ArrayBuffer>);
  const theirs = async (): Promise<void> => {
    const plugin = await createPlugin({ wasm: [{ module }] }, { useWasi: false });
    await plugin.call('handle', 'bench');
    await plugin.close();
  };
  const ratios: number[] = [];
  const rates: number[] = [];
  for (let i = 0; i < 4; i++) {
    const started = performance.now();
    for (let call = 0; call < EXTISM_CALLS; call++) await theirs();
    const their = (EXTISM_CALLS / (performance.now() - started)) * 1000;
    const our = await rate(ours);
    // The first round warms up.
    if (i === 0) continue;
    rates.push(their);
    ratios.push(our / their);
  }
  return { ratios, rates };
}
