import type { ServiceState } from '../../provider/services/state/index.ts';
import { median, spread } from '../measure.ts';
import type { Figure } from '../types.ts';
import { openProvided } from './provided.ts';
import { openSandboxed, type Sandboxed } from './sandboxed.ts';
import { filledState, openScene, put, randomFile } from './scene.ts';

const SMALL = 100;
const LARGE = 100_000;
const UNDER_WAY = 64;
const ROUNDS = 4;
const UPDATES_PER_ROUND = 5_000;
const QUERIES_PER_ROUND = 2_000;
const READS_PER_ROUND = 20_000;
const SINGLE_COMMITS = 300;
const signal = new AbortController().signal;

export async function run(progress: (line: string) => void): Promise<Figure[]> {
  const scene = await openScene();
  const handlers = await openSandboxed();
  try {
    progress(`states of ${SMALL} and ${LARGE} files`);
    const small = await filledState(scene.states, 'k51small', SMALL);
    const large = await filledState(scene.states, 'k51large', LARGE);
    const commits = await singleCommits(large, progress);
    const queries = await queryRounds(handlers, small, large, progress);
    const reads = await readRounds(small, large, progress);
    const listings = await listRounds(large, progress);
    const handled = await updateRounds((path) => handlers.put(small, path), SMALL, progress);
    const updates = await updateRounds((path) => put(small, path), SMALL, progress);
    const updatesLarge = await updateRounds((path) => put(large, path), LARGE, progress);
    const provided = await providedRounds(progress);
    const cold = await coldRead(await (await scene.restart()).open('k51large'));
    return [
      {
        ...figure(
          'updatesPerSecondProvider',
          provided.map(({ perSecond }) => perSecond),
          '1/s',
          'higher',
          0,
        ),
        note: `the whole way in a provider: task, handler, durable with its answer, receipt signed; ${UNDER_WAY} under way`,
      },
      ...updateFigures('', handled, SMALL, 'by a handler in the sandbox'),
      ...updateFigures('Direct', updates, SMALL, 'without the sandbox'),
      ...updateFigures('DirectLarge', updatesLarge, LARGE, 'without the sandbox'),
      {
        ...figure(
          'queryGrowth',
          queries.map(({ ratio }) => ratio),
          'x',
          'lower',
          2,
        ),
        goal: 1.5,
        note: `a query by a handler in the sandbox that reads a random file, ${LARGE} files over ${SMALL}, one at a time`,
      },
      {
        ...figure(
          'queryUs',
          queries.map(({ largeUs }) => largeUs),
          'us',
          'lower',
          1,
        ),
        note: `the same, ${LARGE} files`,
      },
      {
        ...figure(
          'readUs',
          reads.map(({ largeUs }) => largeUs),
          'us',
          'lower',
          2,
        ),
        note: `stat and read of a file in memory, without the sandbox, ${LARGE} files`,
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
    await handlers.close();
    await scene.close();
  }
}

async function singleCommits(state: ServiceState, progress: (line: string) => void): Promise<number[]> {
  const ms: number[] = [];
  for (let i = 0; i < SINGLE_COMMITS; i++) ms.push(await timeOf(() => put(state, randomFile(LARGE))));
  progress(`one commit: ${median(ms).toFixed(2)} ms`);
  return ms;
}

interface QueryRound {
  ratio: number;
  largeUs: number;
}

/** By a handler, one at a time. */
async function queryRounds(
  handlers: Sandboxed,
  small: ServiceState,
  large: ServiceState,
  progress: (line: string) => void,
): Promise<QueryRound[]> {
  const timeUs = async (state: ServiceState, files: number): Promise<number> => {
    const us: number[] = [];
    for (let i = 0; i < QUERIES_PER_ROUND; i++)
      us.push((await timeOf(() => handlers.get(state, randomFile(files)))) * 1_000);
    return median(us);
  };
  return rounds('query', small, large, timeUs, progress);
}

/** Files are looked at a second time: a site's pages are in memory. */
async function readRounds(
  small: ServiceState,
  large: ServiceState,
  progress: (line: string) => void,
): Promise<QueryRound[]> {
  const timeUs = async (state: ServiceState, files: number): Promise<number> => {
    const paths = Array.from({ length: 100 }, () => randomFile(files));
    const view = state.view();
    for (const path of paths) await view.read(path, 0, 1024, signal);
    const start = performance.now();
    for (let i = 0; i < READS_PER_ROUND; i++) {
      const path = paths[i % paths.length]!;
      view.stat(path, signal);
      view.read(path, 0, 1024, signal);
    }
    return ((performance.now() - start) * 1_000) / READS_PER_ROUND;
  };
  return rounds('stat and read', small, large, timeUs, progress);
}

async function rounds(
  what: string,
  small: ServiceState,
  large: ServiceState,
  timeUs: (state: ServiceState, files: number) => Promise<number>,
  progress: (line: string) => void,
): Promise<QueryRound[]> {
  const all: QueryRound[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const smallUs = await timeUs(small, SMALL);
    const largeUs = await timeUs(large, LARGE);
    all.push({ ratio: largeUs / smallUs, largeUs });
    progress(`${what}: ${smallUs.toFixed(2)} us of ${SMALL} files, ${largeUs.toFixed(2)} us of ${LARGE}`);
  }
  return all;
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
  cpuUs: number;
}

async function updateRounds(
  update: (path: string) => Promise<unknown>,
  files: number,
  progress: (line: string) => void,
): Promise<UpdateRound[]> {
  const all: UpdateRound[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    let left = UPDATES_PER_ROUND;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await update(randomFile(files));
    };
    const cpu = process.threadCpuUsage();
    const ms = await timeOf(() => Promise.all(Array.from({ length: UNDER_WAY }, worker)));
    const { user, system } = process.threadCpuUsage(cpu);
    all.push({
      perSecond: (UPDATES_PER_ROUND / ms) * 1_000,
      cpuUs: (user + system) / UPDATES_PER_ROUND,
    });
    const { perSecond, cpuUs } = all.at(-1)!;
    progress(`${files} files: ${Math.round(perSecond)} updates/s, ${cpuUs.toFixed(0)} us of the main thread each`);
  }
  return all;
}

async function providedRounds(progress: (line: string) => void): Promise<UpdateRound[]> {
  const provided = await openProvided();
  try {
    return await updateRounds(provided.put, SMALL, progress);
  } finally {
    await provided.close();
  }
}

function updateFigures(suffix: string, rounds: UpdateRound[], files: number, how: string): Figure[] {
  const what = `one service of ${files} files, ${UNDER_WAY} updates of 1 KB under way`;
  const perSecond = rounds.map((round) => round.perSecond);
  const cpuUs = rounds.map((round) => round.cpuUs);
  return [
    {
      ...figure(`updatesPerSecond${suffix}`, perSecond, '1/s', 'higher', 0),
      ...(suffix === '' ? { goal: 3_000 } : {}),
      note: `durable; ${how}; ${what}, ${UPDATES_PER_ROUND} in a row`,
    },
    {
      ...figure(`updateMainThreadUs${suffix}`, cpuUs, 'us', 'lower', 1),
      note: 'CPU time of the main thread for one update',
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
