import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from '../../test/gateway-scene.ts';
import { buildHandler } from '../../sdk/build/index.ts';
import { cpuUs, median, spread } from '../measure.ts';
import type { Figure } from '../types.ts';
import { findWorkerd, NO_WORKERD, startWorkerd } from '../workerd/process.ts';
import type { Contender } from './contender.ts';
import { CONNECTIONS, startLoad, type Load, type Measured } from './load.ts';
import { startNodeHttp } from './node-http.ts';
import { page, targetOf, visitorOf } from './page.ts';
import { startHost, type Host } from './provider.ts';
import { firstAnswer } from './publish.ts';

const PAGE = fileURLToPath(new URL('./assembly/index.ts', import.meta.url));
const WARM_UP_MS = 3000;
const RUN_MS = 1500;
const ROUNDS = 9;
const SITES = 9;
const PAGE_BYTES = Buffer.byteLength(page(visitorOf(0)));

/**
 * A dynamic page through gateway and sandbox of a provider as a user starts it, beside a bare node:http server that has the
 * same answer ready and beside workerd that runs the same page in JavaScript. Every contender is a process of its own, asked
 * by the same load generator (load.ts says how), in short runs in turn, on all cores of the machine: so each ratio is of two
 * runs that follow each other.
 */
export async function run(progress: (line: string) => void): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-bench-'));
  const host = await startHost(directory);
  const load = startLoad();
  const contenders: Contender[] = [];
  try {
    const { wasm } = await buildHandler(PAGE);
    const gateway = host.contender(await host.publish('scores', wasm));
    contenders.push(gateway);
    contenders.push(await startNodeHttp(await answerOf(gateway)));
    const workerd = await startWorkerdPage();
    if (workerd !== undefined) contenders.push(workerd);
    for (const contender of contenders) {
      await check(contender);
      progress(`warming up ${contender.name} ...`);
      await load.run({ ...contender, bodyBytes: PAGE_BYTES }, WARM_UP_MS);
    }
    const rounds = await measure(host, load, contenders, progress);
    progress('new sites ...');
    const answers = [];
    for (let i = 0; i < SITES; i++) answers.push(await firstAnswer(host, directory, wasm));
    return figures(
      rounds,
      answers.map(({ pageMs }) => pageMs),
      answers.map(({ fileMs }) => fileMs),
    );
  } finally {
    load.stop();
    for (const contender of contenders) await contender.stop();
    await host.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** The gateway's answer to one request, without what node:http adds by itself. */
async function answerOf({ port, host }: Contender): Promise<{ headers: Record<string, string>; body: string }> {
  const { headers, text } = await ask({ port }, targetOf(0), { host });
  const { date: _date, connection: _connection, 'content-length': _length, ...rest } = headers;
  return { headers: rest as Record<string, string>, body: text };
}

async function startWorkerdPage(): Promise<Contender | undefined> {
  const binary = findWorkerd();
  if (binary === undefined) return undefined;
  const { port, stop } = await startWorkerd(
    binary,
    `${page.toString()}
export default {
  fetch(request) {
    const visitor = new URL(request.url).searchParams.get('visitor');
    return new Response(page(visitor), { headers: { 'content-type': 'text/html; charset=utf-8' } });
  },
};
`,
  );
  return { name: 'workerd', port, host: `127.0.0.1:${port}`, stop };
}

/** Whoever is measured answers the page; only the bare server always gives the same one. */
async function check({ name, port, host }: Contender): Promise<void> {
  for (const n of [0, 1, 123_456_789]) {
    const { status, text } = await ask({ port }, targetOf(n), { host });
    const expected = page(visitorOf(name === 'node:http' ? 0 : n));
    if (status !== 200 || text !== expected) throw new Error(`${name} answered ${status} ${text}`);
  }
}

interface Round {
  measured: Map<string, Measured>;
  /** CPU time of the provider, all threads, for each of its answers. */
  cpuUs: number;
}

async function measure(
  host: Host,
  load: Load,
  contenders: Contender[],
  progress: (line: string) => void,
): Promise<Round[]> {
  const rounds: Round[] = [];
  const pid = host.provider.child.pid!;
  for (let i = 0; i < ROUNDS; i++) {
    const measured = new Map<string, Measured>();
    let usedUs = 0;
    for (const contender of contenders) {
      const before = await cpuUs(pid);
      measured.set(contender.name, await load.run({ ...contender, bodyBytes: PAGE_BYTES }, RUN_MS));
      if (contender.name === 'gateway') usedUs = (await cpuUs(pid)) - before;
    }
    rounds.push({ measured, cpuUs: usedUs / ((measured.get('gateway')!.perSecond * RUN_MS) / 1000) });
    progress([...measured].map(([name, { perSecond }]) => `${name} ${Math.round(perSecond)}/s`).join(', '));
  }
  return rounds;
}

function figures(rounds: Round[], pageMs: number[], fileMs: number[]): Figure[] {
  const rates = (name: string): number[] => rounds.map(({ measured }) => measured.get(name)?.perSecond ?? Number.NaN);
  const busiest = Math.max(...rounds.flatMap(({ measured }) => [...measured.values()].map(({ busy }) => busy)));
  const gateway = rates('gateway');
  const versus = (name: string): Pick<Figure, 'value' | 'unit' | 'better' | 'spread' | 'peer'> => {
    const ratios = rates(name).map((rate, i) => gateway[i]! / rate);
    const peer = { name: `${name}, requests/s`, value: median(rates(name)) };
    return { value: median(ratios), unit: 'ratio', better: 'higher', spread: spread(ratios), peer };
  };
  const cpu = rounds.map((round) => round.cpuUs);
  return [
    {
      name: 'requestsPerSecond',
      value: median(gateway),
      unit: '1/s',
      better: 'higher',
      spread: spread(gateway),
      note: `a page of ${PAGE_BYTES} bytes, ${CONNECTIONS} connections, receipts on demand; the load generator took at most ${busiest.toFixed(2)} of a core`,
    },
    {
      name: 'versusNodeHttp',
      ...versus('node:http'),
      goal: 0.6,
      note: 'node:http answers with the same headers and body, which lie ready; at least 0.35',
    },
    findWorkerd() === undefined
      ? NO_WORKERD
      : {
          name: 'versusWorkerd',
          ...versus('workerd'),
          goal: 1,
          note: 'the same page in JavaScript, all requests in one isolate, no meter; at least 0.3',
        },
    {
      name: 'gatewayCpuUs',
      value: median(cpu),
      unit: 'us/request',
      better: 'lower',
      spread: spread(cpu),
      note: 'CPU time of the provider, all threads',
    },
    {
      name: 'publishToAnswerMs',
      value: median(pageMs),
      unit: 'ms',
      better: 'lower',
      goal: 300,
      spread: spread(pageMs),
      note: 'a new service with its site: a new node for its maintainer, a key, the descriptor, the endpoint fetches and compiles, a page is answered',
    },
    {
      name: 'publishToFileMs',
      value: median(fileMs),
      unit: 'ms',
      better: 'lower',
      spread: spread(fileMs),
      note: 'the same until a file of the site was answered after it',
    },
  ];
}
