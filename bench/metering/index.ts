import { writeFile } from 'node:fs/promises';
import { median, spread } from '../measure.ts';
import type { Figure } from '../types.ts';
import { geomean, measureOverheads } from './overhead.ts';
import type { Overhead } from './overhead.ts';
import { plotOverheads } from './plot.ts';
import { measureRewriting } from './rewriting.ts';
import { schemeNames } from './schemes.ts';
import type { Scheme } from './schemes.ts';
import { measureDearLoops } from './time-per-fuel.ts';
import { versusWasmtime } from './wasmtime.ts';

const plotFlag = '--plot=';

/** What metering costs. With `--plot=FILE.svg` the overhead of each program under each scheme is drawn as well. */
export async function run(progress: (line: string) => void): Promise<Figure[]> {
  const overheads = await measureOverheads(progress);
  const plot = process.argv.find((arg) => arg.startsWith(plotFlag));
  if (plot !== undefined) await writeFile(plot.slice(plotFlag.length), plotOverheads(overheads));
  progress('wasmtime ...');
  const wasmtime = await versusWasmtime(overheads);
  progress('rewriting ...');
  const rewriting = measureRewriting();
  progress('dear loops ...');
  return [...overheadFigures(overheads), wasmtime, ...rewriting, ...dearFigures(overheads, progress)];
}

/** Prints what a unit of fuel buys in each dear loop, and answers the worst of them. */
function dearFigures(overheads: readonly Overhead[], progress: (line: string) => void): Figure[] {
  const usual = median(overheads.map(({ nsPerFuel }) => nsPerFuel));
  const loops = measureDearLoops().map(({ nsPerFuel, ...loop }) => ({ ...loop, times: nsPerFuel / usual }));
  progress(`a unit of fuel: ${usual.toFixed(4)} ns in the middle of all programs, and so many times that in`);
  for (const { name, times } of loops) progress(`${times.toFixed(1).padStart(8)}  ${name}`);
  const worst = (missesCaches: boolean): (typeof loops)[number] =>
    loops.find((loop) => loop.missesCaches === missesCaches) ?? { name: '', missesCaches, times: Number.NaN };
  const figure = { unit: 'ratio', better: 'lower', goal: 10 } as const;
  return [
    {
      name: 'worstTimePerFuel',
      ...figure,
      value: worst(false).times,
      note: `${worst(false).name}: its time per unit against the median of all programs, ${usual.toFixed(4)} ns`,
    },
    {
      name: 'worstTimePerFuelMemory',
      ...figure,
      value: worst(true).times,
      note: `${worst(true).name}: what misses the caches; the tariff prices memory by pages and fuel`,
    },
  ];
}

function overheadFigures(overheads: readonly Overhead[]): Figure[] {
  const ordinary = overheads.filter(({ kind }) => kind !== 'recursion');
  const recursive = overheads.filter(({ kind }) => kind === 'recursion');
  const of = (from: readonly Overhead[], scheme: Scheme): number[] => from.map(({ ratios }) => ratios[scheme]);
  const worst = (from: readonly Overhead[]): Overhead =>
    from.reduce((a, b) => (a.ratios.metered > b.ratios.metered ? a : b));
  const ratio = { unit: 'ratio', better: 'lower' } as const;
  const geomeans = schemeNames.map((scheme) => `${scheme} ${geomean(of(ordinary, scheme)).toFixed(3)}`);
  const perBlock = geomean(of(ordinary, 'globalPerBlock'));
  const ours = geomean(of(ordinary, 'metered'));
  return [
    {
      name: 'overheadGeomean',
      ...ratio,
      value: ours,
      goal: 1.05,
      spread: spread(of(ordinary, 'metered')),
      note: `metered / unmetered, ${ordinary.length} kernels and programs, two layouts each; ${geomeans.join(', ')}`,
    },
    {
      name: 'overheadWorst',
      ...ratio,
      value: worst(ordinary).ratios.metered,
      goal: 1.2,
      note: `${worst(ordinary).name}; pure recursion apart`,
    },
    {
      name: 'overheadRecursion',
      ...ratio,
      value: worst(recursive).ratios.metered,
      goal: 1.35,
      spread: spread(of(recursive, 'metered')),
      note: `${worst(recursive).name}, the worst of ${recursive.map(({ name }) => name).join(', ')}`,
    },
    {
      name: 'versusGlobalPerBlock',
      ...ratio,
      value: (ours - 1) / (perBlock - 1),
      goal: 0.25,
      peer: { name: 'fuel in a global, checked at every block', value: perBlock },
    },
  ];
}
