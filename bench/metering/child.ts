import { readLayout } from './programs.ts';
import { schemeNames, schemes } from './schemes.ts';
import type { Scheme } from './schemes.ts';
import { median } from '../measure.ts';

/** What one process measures of one module: `node child.ts LAYOUT`. */
export interface ChildResult {
  /** Median over the turns of the time of each scheme against the unmetered module's in the same turn. */
  ratios: Record<Scheme, number>;
  /** Of one unit of fuel, metered. */
  nsPerFuel: number;
  rounds: number;
}

const callMs = 3;
const warmUps = 24;
const turns = 25;
const plenty = 1n << 60n;

interface Runner {
  call: (rounds: number) => number;
  fuelUsed: () => bigint;
}

function start(bytes: Uint8Array): Runner {
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  const exports = new WebAssembly.Instance(module).exports;
  const fuel = exports['workswap_fuel'] as WebAssembly.Global<'i64'> | undefined;
  if (fuel !== undefined) fuel.value = plenty;
  (exports['_start'] as (() => void) | undefined)?.();
  const run = exports['run'] as (rounds: number) => number;
  return {
    call: (rounds) => {
      if (fuel !== undefined) fuel.value = plenty;
      const started = performance.now();
      run(rounds);
      return performance.now() - started;
    },
    fuelUsed: () => plenty - (fuel?.value ?? plenty),
  };
}

function measure(layout: string): ChildResult {
  const bytes = readLayout(layout);
  const plain = start(bytes);
  const runners = schemeNames.map((name) => start(schemes[name](bytes)));
  let rounds = 1;
  // The engine's fast tier comes with the calls: so the number of rounds is found again when it is there.
  for (let count = 0; count < warmUps; count++) {
    const ms = plain.call(rounds);
    if (ms < callMs * 0.7) rounds = Math.ceil(rounds * Math.min(4, callMs / ms));
    for (const runner of runners) runner.call(rounds);
  }
  const ratios = runners.map((): number[] => []);
  const times: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    // Each in its turn first, so that none always follows the same one.
    const own: number[] = [];
    let base = 0;
    for (let k = 0; k <= runners.length; k++) {
      const index = (turn + k) % (runners.length + 1);
      if (index === runners.length) base = plain.call(rounds);
      else own[index] = (runners[index] as Runner).call(rounds);
    }
    for (const [index, ms] of own.entries()) ratios[index]?.push(ms / base);
    times.push(own[schemeNames.indexOf('metered')] as number);
  }
  const fuelUsed = Number(runners[schemeNames.indexOf('metered')]?.fuelUsed());
  return {
    ratios: Object.fromEntries(schemeNames.map((name, index) => [name, median(ratios[index] as number[])])) as Record<
      Scheme,
      number
    >,
    nsPerFuel: (median(times) * 1e6) / fuelUsed,
    rounds,
  };
}

process.stdout.write(JSON.stringify(measure(process.argv[2] as string)));
