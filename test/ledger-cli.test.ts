import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createConsumer } from '../provider/consumer.ts';
import { createProvider, type Provider } from '../provider/provider.ts';
import { checkCar, createScoreLedger, type HistoryRow } from '../provider/ledger/index.ts';
import { openDatabase } from '../provider/store/index.ts';
import { handler, LISTEN, offer } from './fixtures.ts';
import { workswap, type CommandResult } from './processes.ts';

/** Goal: what the ledger knows can be read, exported, checked by others and compared, as a user does it. */

const COLUMNS = 80;

function json<T = Record<string, never>>({ stdout, stderr }: CommandResult): T {
  expect(stdout.toString(), stderr).not.toBe('');
  return JSON.parse(stdout.toString()) as T;
}

let files: string;
let data: string;
let home: string;
let host: Provider;
let env: Record<string, string>;

beforeAll(async () => {
  files = await mkdtemp(join(tmpdir(), 'workswap-test-'));
  data = join(files, 'provider');
  home = join(files, 'home', 'consumer');
  env = { WORKSWAP_HOME: join(files, 'home') };
  host = await createProvider({
    dataDir: data,
    config: { node: { listen: [LISTEN] }, credit: { refreshBytesPerSecond: 0 } },
  });
  const caller = await createConsumer({ dataDir: home });
  const client = await caller.connect(host.addrs);
  const hello = await offer(caller, await handler('hello'));
  for (const name of ['Ada', 'Grace']) await (await client.call(hello, { path: `/?name=${name}` })).receipt;
  await caller.stop();
});

afterAll(async () => {
  await host.stop();
  await rm(files, { recursive: true, force: true });
});

interface View {
  peer: string;
  sent: number;
  recv: number;
  workSent: number;
  workRecv: number;
  balance: number;
  limit: number;
  creditLeft: number;
  score: number | null;
  lastMs: number;
}

describe('workswap ledger', () => {
  test('shows accounts and journal, exports both, has the export checked, and reconciles: all while the node runs', async () => {
    const address = host.addrs[0]!;
    const hostId = host.peerId.toString();
    const [ours] = json<View[]>(await workswap(['ledger', '--data', home, '--json']));
    expect(ours).toMatchObject({ peer: hostId, score: null });
    expect(ours!.creditLeft).toBe(ours!.limit - ours!.balance);
    expect(Date.now() - ours!.lastMs).toBeLessThan(3_600_000);
    const table = await workswap(['ledger', '--data', home]);
    const lines = table.stdout.toString().split('\n');
    expect(lines[1]).toContain(hostId.slice(-8));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(COLUMNS);

    // The provider has not folded these receipts into its journal yet, and shows them all the same.
    const rows = json<HistoryRow[]>(await workswap(['ledger', 'history', '--data', data, '--since', '1h', '--json']));
    expect(rows.reduce((sum, { workSent }) => sum + workSent, 0)).toBe(ours!.workRecv);
    const ending = rows[0]!.peer.slice(-8);
    const shown = await workswap(['ledger', 'history', `…${ending}`, '--data', data]);
    expect(shown.stdout.toString()).toContain(rows[0]!.peer);
    const csv = await workswap(['ledger', 'history', ending, '--data', data, '--csv', '-']);
    expect(csv.stdout.toString().split('\n')[0]).toBe(
      'time,peer,blocksSent,blocksRecv,workSent,workRecv,ghost,forgiven',
    );
    expect(csv.stdout.toString()).toContain(`,${rows[0]!.peer},`);
    expect(json(await workswap(['ledger', 'history', '--data', data, '--since', '2100-01-01', '--json']))).toEqual([]);

    const car = join(files, 'receipts.car');
    for (const [directory, issuer, given] of [
      [data, hostId, 'provenSent'],
      [home, rows[0]!.peer, 'provenRecv'],
    ] as const) {
      const exported = await workswap(['ledger', 'history', '--data', directory, '--car', car]);
      expect(exported.stdout.toString(), exported.stderr).toContain('1 account statements');
      expect(json(await workswap(['ledger', 'check', car, '--json']))).toMatchObject({
        holds: true,
        receipts: 2,
        missing: 0,
        problems: [],
        statements: [{ issuer, [given]: ours!.workRecv }],
      });
    }

    expect(json(await workswap(['ledger', 'reconcile', address, '--json'], { env }))).toMatchObject({
      agrees: true,
      peer: hostId,
      differences: [],
      ours: { workRecv: ours!.workRecv, receipts: 2 },
      theirs: { workSent: ours!.workRecv, receipts: 2 },
    });

    // As if blocks had been lost with a connection.
    const database = openDatabase(join(home, 'ledger.sqlite'));
    const ledger = createScoreLedger({ database });
    ledger.addToSentBytes(host.peerId, 77);
    ledger.stop();
    database.close();
    const differs = await workswap(['ledger', 'reconcile', address], { env });
    expect(differs.code, differs.stderr).toBe(1);
    expect(differs.stdout.toString()).toContain('blocks we sent: 77 B, BLOCKS_NOT_COUNTED');
    expect(
      Math.max(
        ...differs.stdout
          .toString()
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(100);
  });

  test('refuses what it cannot do with exit code 2, and says what it needs', async () => {
    const cases: [string[], string][] = [
      [['history', 'nobody', '--data', data], 'no account of nobody'],
      [['history', '--since', 'yesterday-ish', '--data', data], '--since takes'],
      [['history', '--json', '--csv', 'x', '--data', data], 'Choose one'],
      [['history', '--car', join(files, 'x.car'), '--identity', join(files, 'none'), '--data', data], 'no identity'],
      [['history', '--data', join(files, 'none')], 'no directory'],
      [['check', join(files, 'none')], 'no file'],
    ];
    for (const [args, reason] of cases) {
      const { code, stderr } = await workswap(['ledger', ...args]);
      expect([code, stderr.toLowerCase()], args.join(' ')).toEqual([
        2,
        expect.stringContaining(reason.toLowerCase()) as string,
      ]);
    }
    const nowhere = `/ip4/127.0.0.1/tcp/1/p2p/${host.peerId.toString()}`;
    const gone = await workswap(['ledger', 'reconcile', nowhere], { env: { WORKSWAP_HOME: files } });
    expect(gone.code, gone.stderr).toBe(5);
  });
});

describe('workswap ledger check', () => {
  let good: Buffer;
  let path: string;

  beforeAll(async () => {
    path = join(files, 'good.car');
    expect((await workswap(['ledger', 'history', '--data', data, '--car', path])).code).toBe(0);
    good = await readFile(path);
  });

  test('finds every changed byte, a cut and an addition', async () => {
    const check = (bytes: Uint8Array) =>
      checkCar(
        (async function* () {
          // In pieces that cut blocks anywhere.
          for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
        })(),
      ).then(
        ({ problems }) => problems.length,
        (error: { code: string }) => error.code,
      );
    expect(await check(good)).toBe(0);
    for (let i = 0; i < good.length; i += 3) {
      const changed = Buffer.from(good);
      changed[i]! ^= 4;
      expect([i, await check(changed)]).not.toEqual([i, 0]);
    }
    expect(await check(good.subarray(0, -1))).toBe('NOT_A_CAR');
    expect(await check(new Uint8Array())).toBe('NOT_A_CAR');
    expect(await check(Buffer.alloc(1_000, 0xff))).toBe('NOT_A_CAR');
    // The last block once more.
    expect(await check(Buffer.concat([good, good.subarray(lastBlockOf(good))]))).toBe(1);
  });

  test('ends with 1 when something does not hold', async () => {
    await writeFile(path, good);
    await appendFile(path, good.subarray(lastBlockOf(good)));
    const { code, stdout } = await workswap(['ledger', 'check', path]);
    expect([code, stdout.toString()]).toEqual([1, expect.stringContaining('DOES NOT HOLD') as string]);
  });
});

function lastBlockOf(car: Uint8Array): number {
  let last = 0;
  for (let at = 0; at < car.length;) {
    last = at;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = car[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += length;
  }
  return last;
}
