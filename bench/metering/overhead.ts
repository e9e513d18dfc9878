import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ChildResult } from './child.ts';
import { listPrograms } from './programs.ts';
import type { Program } from './programs.ts';
import { schemeNames } from './schemes.ts';
import type { Scheme } from './schemes.ts';

const child = fileURLToPath(new URL('child.ts', import.meta.url));

/** One program's figures over its layouts. */
export interface Overhead extends Program {
  /** Geometric mean over its layouts. */
  ratios: Record<Scheme, number>;
  nsPerFuel: number;
  /** By layout: rounds that take some milliseconds. */
  rounds: Record<string, number>;
}

/** Every layout in a process of its own: nothing that the engine learnt of one is left for the next. */
export async function measureOverheads(progress: (line: string) => void, only?: RegExp): Promise<Overhead[]> {
  const overheads: Overhead[] = [];
  for (const program of listPrograms().filter(({ name }) => only === undefined || only.test(name))) {
    const results: ChildResult[] = [];
    const rounds: Record<string, number> = {};
    for (const layout of program.layouts) {
      const { stdout } = await promisify(execFile)(process.execPath, [child, layout]);
      const result = JSON.parse(stdout) as ChildResult;
      results.push(result);
      rounds[layout] = result.rounds;
    }
    const ratios = Object.fromEntries(
      schemeNames.map((name) => [name, geomean(results.map((result) => result.ratios[name]))]),
    ) as Record<Scheme, number>;
    overheads.push({ ...program, ratios, rounds, nsPerFuel: geomean(results.map(({ nsPerFuel }) => nsPerFuel)) });
    const shown = schemeNames.map((name) => `${name} ${ratios[name].toFixed(3)}`).join(', ');
    progress(`${program.name}: ${shown}`);
  }
  return overheads;
}

export function geomean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
