import { MeterError, meter, meterVersion } from '../index.ts';
import { runCase, typesOf } from './cases.ts';
import type { Case } from './cases.ts';
import { vectorSources } from './vector-sources.ts';
import { wat } from './wat.ts';

export interface Vector {
  about: string;
  wat: string;
  /** The module before metering, in base64. */
  wasm: string;
  /** Of the export `run`. */
  args: string[];
  fuelMax: number;
  outcome: 'completed' | 'outOfFuel' | 'tooDeep' | 'trapped' | 'refused';
  /** Burnt by a run that completes. */
  fuel?: number;
  /** Its results, as their bits in hexadecimal. */
  results?: string[];
  /** Why it is refused. */
  code?: string;
}

export interface Vectors {
  meterVersion: string;
  vectors: Vector[];
}

/** What this meter makes of all vectors. */
export function makeVectors(): Vectors {
  const vectors = vectorSources.map((source) => {
    const bytes = wat(source.wat);
    const { about, args, fuelMax } = source;
    const wasm = Buffer.from(bytes).toString('base64');
    return { about, wat: source.wat, wasm, args, fuelMax, ...answerTo(bytes, args, fuelMax) };
  });
  return { meterVersion, vectors };
}

export function answerTo(
  bytes: Uint8Array,
  args: readonly string[],
  fuelMax: number,
): Pick<Vector, 'outcome' | 'fuel' | 'results' | 'code'> {
  let one: Case;
  try {
    const metered = meter(bytes);
    const run = metered.exports.find(({ name }) => name === 'run');
    const types = typesOf(run?.params);
    one = {
      name: 'vector',
      wasm: Buffer.from(metered.bytes).toString('base64'),
      fuel: String(fuelMax),
      imports: [],
      calls: [
        {
          export: 'run',
          args: types.map((type, index) => [type, args[index] as string]),
          results: typesOf(run?.results),
        },
      ],
    };
  } catch (error) {
    if (error instanceof MeterError) return { outcome: 'refused', code: error.code };
    throw error;
  }
  const [answer] = runCase(one);
  switch (answer?.kind) {
    case 'completed':
      return { outcome: 'completed', fuel: fuelMax - Number(answer.fuelLeft), results: answer.results };
    case 'outOfFuel':
    case 'tooDeep':
    case 'trapped':
      return { outcome: answer.kind };
    default:
      throw new Error(`a vector ends as ${answer?.kind}`);
  }
}
