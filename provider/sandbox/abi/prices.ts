/**
 * The version of the host ABI: its calls, what they mean, what they and an instance cost, and its limits. It changes
 * whenever a handler could see a difference or a job would burn another amount of fuel.
 */
export const abiVersion = '5';

export interface CallPrice {
  /** Units of fuel for the call itself. */
  fixed: number;
  /** Units of fuel per byte moved or hashed. */
  perByte: number;
}

/**
 * What every host call costs in fuel, set from measurement at 0.1 to 0.2 ns per unit (`docs/sandbox.md` has the table
 * with the figures). It is charged before the work is done.
 */
export const CALL_PRICES = {
  input_size: { fixed: 1000, perByte: 0 },
  input_read: { fixed: 3000, perByte: 1 },
  output_write: { fixed: 3000, perByte: 4 },
  block_read: { fixed: 200_000, perByte: 4 },
  block_size: { fixed: 200_000, perByte: 0 },
  log: { fixed: 2000, perByte: 8 },
  fail: { fixed: 2000, perByte: 8 },
  time_ms: { fixed: 1000, perByte: 0 },
  random: { fixed: 2000, perByte: 400 },
  sha256: { fixed: 20_000, perByte: 10 },
  ed25519_verify: { fixed: 2_000_000, perByte: 10 },
  state_stat: { fixed: 200_000, perByte: 0 },
  state_read: { fixed: 200_000, perByte: 4 },
  state_write: { fixed: 200_000, perByte: 10 },
  state_remove: { fixed: 200_000, perByte: 10 },
  state_list: { fixed: 300_000, perByte: 100 },
  send: { fixed: 500_000, perByte: 20 },
} as const satisfies Record<string, CallPrice>;

/**
 * What `state_list` burns for each entry that the directory had when the job began, listed or not, since the first look
 * at it reads all of it; and for each that the job removed and that was passed over.
 */
export const LIST_FUEL = { total: 20, passed: 4000 } as const;

export function listFuel({ total, passed }: Readonly<Record<keyof typeof LIST_FUEL, number>>): number {
  return total * LIST_FUEL.total + passed * LIST_FUEL.passed;
}

export type CallName = keyof typeof CALL_PRICES;

/**
 * What it costs to set an instance up, in units of fuel for each: measured in V8, like the prices above. `free` units of
 * the sum are in the job's fixed price, which is more than an ordinary handler needs.
 */
export const SETUP_PRICES = {
  memoryPages: 16_384,
  dataBytes: 8,
  tableEntries: 200,
  elementBytes: 900,
  globals: 1400,
  exports: 8000,
} as const;
export const SETUP_FREE = 200_000;

/** Fuel that a job burns before its handler runs: the same on every provider, whether or not an instance is re-used. */
export function setupFuel(setup: Readonly<Record<keyof typeof SETUP_PRICES, number>>): number {
  let fuel = -SETUP_FREE;
  for (const [name, price] of Object.entries(SETUP_PRICES)) fuel += setup[name as keyof typeof SETUP_PRICES] * price;
  return Math.max(0, fuel);
}
