import { callsOf, compareWithReference } from '../../../provider/metering/testing/compare.ts';
import { check } from './check.ts';
import type { Fate } from './check.ts';
import { seedCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { Mutator } from './mutate.ts';

export interface FuzzOptions {
  seed: number;
  /** Mutants whose coverage is looked at: those that reach something new become parents. */
  guided: number;
  /** Mutants after that, at full speed. */
  blind: number;
}

export interface FuzzReport {
  fates: Record<Fate | 'compared', number>;
  parents: number;
  /** Stretches of the meter's code that ran. */
  covered: number;
}

/** Parents beyond so many, or larger than this, only make the rest rarer. */
const parentsMax = 3_000;
const parentBytesMax = 2_000;
/** Of the mutants that are metered, one in so many is also run against the naive reference. */
const comparedOneIn = 20;

/** Throws on the first module with which the meter does what it must not. */
export async function fuzz({ seed, guided, blind }: FuzzOptions): Promise<FuzzReport> {
  const parents = seedCorpus();
  for (const parent of parents) check(parent);
  const mutator = new Mutator(seed);
  const fates: FuzzReport['fates'] = {
    metered: 0,
    compared: 0,
    NOT_WASM: 0,
    INVALID_MODULE: 0,
    FEATURE_REFUSED: 0,
    MODULE_LIMIT: 0,
    RESERVED_EXPORT: 0,
  };
  const mutant = (): Uint8Array =>
    mutator.mutate(
      parents[mutator.below(parents.length)] as Uint8Array,
      parents[mutator.below(parents.length)] as Uint8Array,
    );
  const adopt = (bytes: Uint8Array): void => {
    if (bytes.length <= parentBytesMax && parents.length < parentsMax) parents.push(bytes);
  };

  const coverage = new Coverage();
  await coverage.start();
  await coverage.news();
  for (let done = 0; done < guided; done++) {
    const bytes = mutant();
    fates[check(bytes)]++;
    if ((await coverage.news()) > 0) adopt(bytes);
  }
  const covered = await coverage.stop();

  for (let done = 0; done < blind; done++) {
    const bytes = mutant();
    const fate = check(bytes);
    fates[fate]++;
    if (fate !== 'metered' || fates.metered % comparedOneIn > 0) continue;
    compare(bytes);
    fates.compared++;
    // What the engine accepts in spite of its damage is a better parent than most.
    adopt(bytes);
  }
  return { fates, parents: parents.length, covered };
}

function compare(bytes: Uint8Array): void {
  for (const fuelInParameters of [true, false]) {
    const { differences } = compareWithReference(bytes, callsOf(bytes, 1), 20_000n, {
      fuelInParameters,
      canonicalNans: true,
    });
    if (differences.length === 0) continue;
    throw new Error(`${differences[0]} in ${Buffer.from(bytes).toString('base64')}`);
  }
}
