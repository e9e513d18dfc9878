import type { ServiceState, States } from '../../provider/services/state/index.ts';
import { median, spread } from '../measure.ts';
import type { Figure } from '../types.ts';
import { filledState, openScene, put, randomFile } from './scene.ts';

const SMALL = 100;
const LARGE = 100_000;
const UNDER_WAY = 64;
const ROUNDS = 4;
const UPDATES_PER_ROUND = 5_000;
const QUERIES_PER_ROUND = 20_000;
const SINGLE_COMMITS = 300;
const signal = new AbortController().signal;

export async function run(progress: (line: string) => void): Promise<Figure[]> {
  const scene = await openScene();
  try {
    progress(`states of ${SMALL} and ${LARGE} files`);
    const small = await filledState(scene.states, 'k51small', SMALL);
    const large = await filledState(scene.states, 'k51large', LARGE);
    await scene.states.flush();
    const commits = await singleCommits(large, progress);
    const queries = await queryRounds(small, large, progress);
    const listings = await listRounds(large, progress);
    await scene.states.flush();
    const updates = await updateRounds(scene.states, small, SMALL, progress);
    const updatesLarge = await updateRounds(scene.states, large, LARGE, progress);
    const cold = await coldRead(await (await scene.restart()).open('k51large'));
    return [
      ...updateFigures('', updates, SMALL),
      ...updateFigures('Large', updatesLarge, LARGE),
      {
        ...figure(
          'queryGrowth',
          queries.map(({ ratio }) => ratio),
          'x',
          'lower',
          2,
        ),
        goal: 1.5,
        note: `stat and read of a random file, ${LARGE} files over ${SMALL}, without the sandbox`,
      },
      {
        ...figure(
          'queryUs',
          queries.map(({ largeUs }) => largeUs),
          'us',
          'lower',
          2,
        ),
        note: `${LARGE} files, in memory`,
      },
      {
        ...figure('commitMs', commits, 'ms', 'lower', 2),
        goal: 5,
        note: `one change in ${LARGE} files, one at a time, until it is durable`,
      },
      {
        ...figure('listAfterUpdateMs', listings, 'ms', 'lower', 3),
        note: `the first 100 of ${LARGE} entries after each update`,
      },
      {
        name: 'coldReadMs',
        value: cold.readMs,
        unit: 'ms',
        better: 'lower',
        note: 'first read of a file after a restart',
      },
      {
        name: 'coldListMs',
        value: cold.listMs,
        unit: 'ms',
        better: 'lower',
        note: `first listing of ${LARGE} entries after a restart`,
      },
    ];
  } finally {
    await scene.close();
  }
}

async function singleCommits(state: ServiceState, progress: (line: string) => void): Promise<number[]> {
  const ms: number[] = [];
  for (let i = 0; i < SINGLE_COMMITS; i++) ms.push(await timeOf(() => put(state, randomFile(LARGE))));
  progress(`one commit: ${median(ms).toFixed(2)} ms`);
  return ms;
}

async function queryRounds(small: ServiceState, large: ServiceState, progress: (line: string) => void) {
  const rounds: { ratio: number; largeUs: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const smallUs = await queryUs(small, SMALL);
    const largeUs = await queryUs(large, LARGE);
    rounds.push({ ratio: largeUs / smallUs, largeUs });
    progress(`query: ${smallUs.toFixed(2)} us of ${SMALL} files, ${largeUs.toFixed(2)} us of ${LARGE}`);
  }
  return rounds;
}

/** Files are looked at a second time: a site's pages are in memory. */
async function queryUs(state: ServiceState, count: number): Promise<number> {
  const paths = Array.from({ length: 100 }, () => randomFile(count));
  const view = state.view();
  for (const path of paths) await view.read(path, 0, 1024, signal);
  const start = performance.now();
  for (let i = 0; i < QUERIES_PER_ROUND; i++) {
    const path = paths[i % paths.length]!;
    view.stat(path, signal);
    view.read(path, 0, 1024, signal);
  }
  return ((performance.now() - start) * 1_000) / QUERIES_PER_ROUND;
}

async function listRounds(state: ServiceState, progress: (line: string) => void): Promise<number[]> {
  progress(`first listing: ${(await timeOf(async () => state.view().list('entries', '', 100, signal))).toFixed(1)} ms`);
  const ms: number[] = [];
  for (let i = 0; i < 100; i++) {
    await put(state, randomFile(LARGE));
    ms.push(await timeOf(async () => state.view().list('entries', '', 100, signal)));
  }
  return ms;
}

interface UpdateRound {
  perSecond: number;
  /** Until all blocks are in the block store too. */
  perSecondMoved: number;
  cpuUs: number;
}

async function updateRounds(
  states: States,
  state: ServiceState,
  files: number,
  progress: (line: string) => void,
): Promise<UpdateRound[]> {
  const rounds: UpdateRound[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    let left = UPDATES_PER_ROUND;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await put(state, randomFile(files));
    };
    const cpu = process.threadCpuUsage();
    const ms = await timeOf(() => Promise.all(Array.from({ length: UNDER_WAY }, worker)));
    const drainMs = await timeOf(() => states.flush());
    const { user, system } = process.threadCpuUsage(cpu);
    rounds.push({
      perSecond: (UPDATES_PER_ROUND / ms) * 1_000,
      perSecondMoved: (UPDATES_PER_ROUND / (ms + drainMs)) * 1_000,
      cpuUs: (user + system) / UPDATES_PER_ROUND,
    });
    const { perSecond, perSecondMoved } = rounds.at(-1)!;
    progress(`${files} files: ${Math.round(perSecond)} updates/s, ${Math.round(perSecondMoved)} with all blocks moved`);
  }
  return rounds;
}

function updateFigures(suffix: string, rounds: UpdateRound[], files: number): Figure[] {
  const what = `one service of ${files} files, ${UNDER_WAY} updates of 1 KB under way`;
  const perSecond = rounds.map((round) => round.perSecond);
  const moved = rounds.map((round) => round.perSecondMoved);
  const cpuUs = rounds.map((round) => round.cpuUs);
  return [
    {
      ...figure(`updatesPerSecond${suffix}`, perSecond, '1/s', 'higher', 0),
      ...(suffix === '' ? { goal: 3_000 } : {}),
      note: `durable; without the sandbox; ${what}, ${UPDATES_PER_ROUND} in a row`,
    },
    {
      ...figure(`updatesPerSecondMoved${suffix}`, moved, '1/s', 'higher', 0),
      note: 'the same until all blocks are files of the block store as well: what can go on for ever',
    },
    {
      ...figure(`updateMainThreadUs${suffix}`, cpuUs, 'us', 'lower', 1),
      note: 'CPU time of the main thread for one update and its move into the block store',
    },
  ];
}

async function coldRead(state: ServiceState): Promise<{ readMs: number; listMs: number }> {
  const readMs = await timeOf(async () => state.view().read(randomFile(LARGE), 0, 1024, signal));
  const listMs = await timeOf(async () => state.view().list('entries', '', 100, signal));
  return { readMs: Number(readMs.toFixed(2)), listMs: Math.round(listMs) };
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function figure(name: string, values: number[], unit: string, better: 'higher' | 'lower', digits: number): Figure {
  const round = (n: number): number => Number(n.toFixed(digits));
  const [least, most] = spread(values);
  return { name, value: round(median(values)), unit, better, spread: [round(least), round(most)] };
}
