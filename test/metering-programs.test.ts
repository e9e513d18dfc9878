import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compareWithReference } from '../provider/metering/testing/compare.ts';
import { runCase } from '../provider/metering/testing/cases.ts';
import { meterNaively } from '../provider/metering/testing/reference.ts';
import { buildModule } from './build-module.ts';
import { handlers, recordedHandler } from './interop/metering/handlers.ts';

/**
 * Goal: real programs are charged exactly, compiled C, Rust and AssemblyScript. Method: each burns what the naive reference
 * counts; the host's answers to handlers are those it gave in the sandbox.
 */
const programs = new URL('../bench/metering/wasm/', import.meta.url);

describe('what a program costs is what the naive reference counts', () => {
  test.each(readdirSync(programs).filter((name) => name.endsWith('.wasm')))('%s', (name) => {
    const bytes = Uint8Array.from(readFileSync(new URL(name, programs)));
    for (const fuelInParameters of [true, false]) {
      const outcome = compareWithReference(bytes, [{ name: 'run', args: [1] }], 1n << 40n, {
        fuelInParameters,
        canonicalNans: true,
      });
      expect(outcome).toMatchObject({ differences: [], completed: 1 });
    }
  });

  test.each(handlers)('the handler %s', async (name) => {
    const { recorded } = await recordedHandler(name);
    const naive = Buffer.from(meterNaively(await buildModule(name), { canonicalNans: true })).toString('base64');
    const [ours] = runCase(recorded);
    expect(ours?.kind).toBe('completed');
    expect(runCase({ ...recorded, wasm: naive })).toEqual([ours]);
  });
});
