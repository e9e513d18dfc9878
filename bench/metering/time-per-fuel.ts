import { meter } from '../../provider/metering/index.ts';
import { wat } from '../../provider/metering/testing/wat.ts';
import { CALL_PRICES } from '../../provider/sandbox/abi/prices.ts';
import { dearLoops } from './dear-loops.ts';
import type { DearLoop } from './dear-loops.ts';

export interface DearTime {
  name: string;
  missesCaches: boolean;
  /** Nanoseconds for one unit of fuel. */
  nsPerFuel: number;
}

const callMs = 2;
const warmUps = 20;
const turns = 25;
const plenty = 1n << 60n;
const cheapestCall = BigInt(Math.min(...Object.values(CALL_PRICES).map(({ fixed }) => fixed)));

/** How much time a unit of fuel buys in each of the dear loops, dearest first. */
export function measureDearLoops(): DearTime[] {
  return dearLoops
    .map((loop) => ({ name: loop.name, missesCaches: loop.missesCaches ?? false, nsPerFuel: measure(loop) }))
    .sort((a, b) => b.nsPerFuel - a.nsPerFuel);
}

function measure({ name, text }: DearLoop): number {
  const module = new WebAssembly.Module(meter(wat(text)).bytes as Uint8Array<ArrayBuffer>);
  // The host takes as much as for its cheapest call.
  const empty = (): void => {
    fuel.value -= cheapestCall;
  };
  const exports = new WebAssembly.Instance(module, { host: { empty } }).exports;
  const fuel = exports['workswap_fuel'] as WebAssembly.Global<'i64'>;
  const run = exports['run'] as (rounds: number) => unknown;
  fuel.value = plenty;
  (exports['prepare'] as (() => void) | undefined)?.();
  let rounds = 1;
  const time = (): number => {
    fuel.value = plenty;
    const started = performance.now();
    run(rounds);
    return (performance.now() - started) * 1e6;
  };
  try {
    for (let count = 0; count < warmUps; count++) {
      const ms = time() / 1e6;
      if (ms < callMs * 0.7) rounds = Math.ceil(rounds * Math.min(8, callMs / Math.max(ms, 0.001)));
    }
    // The least of many: what the operation takes when no one disturbs it and the fast tier is there.
    return Math.min(
      ...Array.from({ length: turns }, () => {
        const ns = time();
        return ns / Number(plenty - fuel.value);
      }),
    );
  } catch (error) {
    throw new Error(`${name}: ${String(error)}`);
  }
}
