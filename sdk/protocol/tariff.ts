/**
 * A provider's price list, in bytes of Bitswap traffic. All rates are non-negative integers; `fuel` and `memory` are per
 * 10^9 units of fuel, the others per KiB, so that a price is computed in integers and rounded up.
 */
export interface TariffRates {
  /** Bytes charged for every job, whatever it does. */
  job: number;
  /** Bytes per KiB of a module that had to be compiled for this job. */
  compile: number;
  /** Bytes per KiB of input (the encoded request). */
  input: number;
  /** Bytes per KiB of output (response head and body). */
  output: number;
  /** Bytes per KiB that the handler read from IPFS blocks, wherever they came from. */
  read: number;
  /** Bytes per KiB that the handler wrote into its service's state, paths included. */
  write: number;
  /** Bytes per 10^9 units of fuel. */
  fuel: number;
  /** Bytes per page (64 KiB) of peak memory and 10^9 units of fuel: memory is held for as long as fuel burns. */
  memory: number;
}

/** What one job used. Everything a price depends on; every field is in the receipt. */
export interface Usage {
  compiledBytes: number;
  inputBytes: number;
  outputBytes: number;
  readBytes: number;
  writtenBytes: number;
  fuel: number;
  memoryPagesPeak: number;
}

const GIGA_NUMBER = 1_000_000_000;
const GIGA = BigInt(GIGA_NUMBER);

/** The part of the price that does not depend on fuel, rounded up by component. */
function fixedPrice(rates: TariffRates, usage: Omit<Usage, 'fuel' | 'memoryPagesPeak'>): number {
  return (
    rates.job +
    Math.ceil((rates.compile * usage.compiledBytes) / 1024) +
    Math.ceil((rates.input * usage.inputBytes) / 1024) +
    Math.ceil((rates.output * usage.outputBytes) / 1024) +
    Math.ceil((rates.read * usage.readBytes) / 1024) +
    Math.ceil((rates.write * usage.writtenBytes) / 1024)
  );
}

/** The price of a job in bytes: the sum of its components, each rounded up. Never more than 2^53 - 1. */
export function price(rates: TariffRates, usage: Usage): number {
  const burntByGiga = usage.fuel * (rates.fuel + rates.memory * usage.memoryPagesPeak);
  // Nearly always the numbers are small enough to be exact without BigInt, which takes ten times as long.
  if (burntByGiga <= Number.MAX_SAFE_INTEGER) {
    const rest = burntByGiga % GIGA_NUMBER;
    const burnt = (burntByGiga - rest) / GIGA_NUMBER + (rest === 0 ? 0 : 1);
    return Math.min(fixedPrice(rates, usage) + burnt, Number.MAX_SAFE_INTEGER);
  }
  const perGiga = BigInt(rates.fuel) + BigInt(rates.memory) * BigInt(usage.memoryPagesPeak);
  const burnt = (BigInt(usage.fuel) * perGiga + GIGA - 1n) / GIGA;
  const total = BigInt(fixedPrice(rates, usage)) + burnt;
  return total > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(total);
}

/**
 * The most fuel that `priceMax` still buys when the other components are as given and memory stands at
 * `memoryPagesPeak`. Negative when they alone cost more than `priceMax`. For every fuel up to the answer,
 * `price(...) <= priceMax`.
 */
export function fuelAffordable(rates: TariffRates, priceMax: number, usage: Omit<Usage, 'fuel'>): number {
  const left = priceMax - fixedPrice(rates, usage);
  if (left < 0) return -1;
  const perGiga = BigInt(rates.fuel) + BigInt(rates.memory) * BigInt(usage.memoryPagesPeak);
  if (perGiga === 0n) return Number.MAX_SAFE_INTEGER;
  const fuel = (BigInt(left) * GIGA) / perGiga;
  return fuel > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(fuel);
}
