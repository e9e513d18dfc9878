import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { installWasmtime } from '../../test/interop/metering/wasmtime.ts';
import type { Figure } from '../types.ts';
import { geomean } from './overhead.ts';
import type { Overhead } from './overhead.ts';

const script = fileURLToPath(new URL('wasmtime_fuel.py', import.meta.url));

/** What fuel costs us in V8 against what it costs wasmtime, over the same modules and rounds. */
export async function versusWasmtime(overheads: readonly Overhead[]): Promise<Figure> {
  const figure: Figure = { name: 'versusWasmtime', value: null, unit: 'ratio', better: 'lower', goal: 0.5 };
  let python: string;
  try {
    python = await installWasmtime();
  } catch (error) {
    return { ...figure, note: `wasmtime cannot be had here: ${(error as Error).message.split('\n')[0]}` };
  }
  const runs = overheads.flatMap(({ layouts, rounds }) =>
    layouts.map((layout) => [fileURLToPath(new URL(`wasm/${layout}.wasm`, import.meta.url)), rounds[layout]]),
  );
  const process = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  process.stdin.end(JSON.stringify(runs));
  const theirs = geomean(JSON.parse(await text(process.stdout)) as number[]);
  const ours = geomean(overheads.map(({ ratios }) => ratios.metered));
  return {
    ...figure,
    value: (ours - 1) / (theirs - 1),
    peer: { name: 'wasmtime with fuel / without', value: theirs },
    note: `ours ${ours.toFixed(3)} over the same modules, recursion included`,
  };
}
