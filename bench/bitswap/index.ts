import { goMissing, goVersion } from '../../test/interop/go-program.ts';
import { median, spread } from '../measure.ts';
import type { Figure } from '../types.ts';
import { firstBlockRoundTrips } from './latency.ts';
import { type Pair, startPair, timeInTurn } from './pairs.ts';
import { plot } from './plot.ts';
import { duplicateShare, residentServing } from './serving.ts';

const ROUNDS = 5;
const LARGE = { count: 128, size: 256 * 1024 };
/** Below 1,024: boxo and Helia forget what is wanted beyond that, and wait long before they ask again. */
const SMALL = { count: 1000, size: 1024 };

type Progress = (line: string) => void;

/**
 * Blocks between two processes on loopback, over TCP, noise and yamux, in memory, with the real ledger at our ends. All
 * pairs take turns, round by round, and a ratio is the median of the rounds' ratios. `--plot` also draws docs/bitswap.svg.
 */
export async function run(progress: Progress): Promise<Figure[]> {
  const figures = [...(await throughput(progress)), ...(await serving(progress))];
  if (process.argv.includes('--plot')) await plot(progress);
  return figures;
}

async function throughput(progress: Progress): Promise<Figure[]> {
  const hasBoxo = goVersion !== undefined;
  const pairs: Pair[] = [];
  try {
    pairs.push(await startPair('ours', 'ours'), await startPair('helia', 'helia'));
    if (hasBoxo) {
      pairs.push(await startPair('boxo', 'boxo'), await startPair('boxo', 'ours'), await startPair('ours', 'boxo'));
    }
    progress(`${LARGE.count} blocks of 256 KiB, ${ROUNDS} rounds of ${pairs.length} pairs ...`);
    const large = await timeInTurn(pairs, ROUNDS, LARGE.count, LARGE.size);
    progress(`${SMALL.count} blocks of 1 KiB ...`);
    const small = await timeInTurn(pairs, ROUNDS, SMALL.count, SMALL.size);
    const versusBoxo = (name: string, pair: number): Figure =>
      hasBoxo
        ? {
            ...ratio(name, 0.8, large[2]!, large[pair]!),
            note: `at 1 KiB ${median(ratios(small[2]!, small[pair]!)).toFixed(2)}; boxo pair ${rate(large[2]!)} MB/s`,
          }
        : { name, value: null, unit: 'ratio', better: 'higher', goal: 0.8, note: goMissing };
    return [
      { ...ratio('throughput256KVersusHelia', 2.5, large[1]!, large[0]!), note: `${rate(large[0]!)} MB/s` },
      {
        ...ratio('blocksPerSecond1KVersusHelia', 4, small[1]!, small[0]!),
        note: `${Math.round((SMALL.count / median(small[0]!)) * 1000)} blocks/s`,
      },
      { ...versusBoxo('versusBoxoFetch', 3) },
      { ...versusBoxo('versusBoxoServe', 4) },
    ];
  } finally {
    await Promise.all(pairs.map((pair) => pair.stop()));
  }
}

async function serving(progress: Progress): Promise<Figure[]> {
  progress('three full holders ...');
  const ours = await duplicateShare('ours');
  const boxo = goVersion === undefined ? undefined : await duplicateShare('boxo');
  progress('first block over 50 ms ...');
  const { first, later } = await firstBlockRoundTrips();
  progress('1 GiB to 100 peers ...');
  const resident = await residentServing();
  return [
    {
      name: 'duplicates',
      value: ours,
      unit: 'share of bytes',
      better: 'lower',
      goal: 0.05,
      note: boxo === undefined ? 'three of ours' : `three of ours; three of boxo: ${boxo.toFixed(3)}`,
    },
    {
      name: 'residentMB',
      value: resident,
      unit: 'MiB',
      better: 'lower',
      goal: 400,
      note:
        resident === null ? 'this system does not tell the peak of a process' : 'peak, 1 GiB from disk to 100 peers',
    },
    {
      name: 'firstBlockRtt',
      value: median(later),
      unit: 'round trips',
      better: 'lower',
      goal: 2,
      spread: spread(later),
      note: `of 50 ms; right after connecting ${first.toFixed(2)}`,
    },
  ];
}

/** How many times as fast as `theirs`. */
function ratio(name: string, goal: number, theirs: number[], mine: number[]): Figure {
  const each = ratios(theirs, mine);
  return { name, value: median(each), unit: 'ratio', better: 'higher', goal, spread: spread(each) };
}

function ratios(theirs: number[], mine: number[]): number[] {
  return theirs.map((ms, round) => ms / (mine[round] as number));
}

function rate(ms: number[]): string {
  return ((LARGE.count * LARGE.size) / 1000 / median(ms)).toFixed(0);
}
