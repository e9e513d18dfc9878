import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { defaultDirectory } from '../config.ts';
import type { HistoryFilter, HistoryRow } from '../ledger/index.ts';
import { UsageError } from './errors.ts';
import { exportReceipts } from './ledger-export.ts';
import { findPeer, withLedgerFiles, type NamedLedger } from './ledger-files.ts';
import { formatTable, shortBytes, shortPeer } from './output.ts';

interface HistoryFlags {
  data: string;
  since?: string;
  json?: boolean;
  csv?: string;
  car?: string;
  identity?: string;
}

export function addLedgerHistory(ledger: Command): void {
  ledger
    .command('history')
    .description('Show what changed when: by the minute, by the hour after a day, by the day after a month.')
    .argument('[peer]', 'only this account: a peer id, or the end of one')
    .option('--data <DIR>', "a provider's or consumer's directory", defaultDirectory('provider'))
    .option('--since <WHEN>', 'a date like 2026-01-31, or a span like 90m, 24h, 7d')
    .option('--json', 'print one JSON array')
    .option('--csv <FILE>', 'write CSV; - is standard output')
    .option('--car <FILE>', 'write signed account statements and receipts that anyone can check')
    .option('--identity <FILE>', "who signs the statements. Default: the directory's own identity")
    .addHelpText(
      'after',
      `
Examples:
  workswap ledger history --since 24h
  workswap ledger history EmMeZ1xJ --csv account.csv
  workswap ledger history --car receipts.car && workswap ledger check receipts.car`,
    )
    .action(history);
}

async function history(peer: string | undefined, flags: HistoryFlags): Promise<void> {
  const outputs = [flags.json === true, flags.csv !== undefined, flags.car !== undefined].filter(Boolean);
  if (outputs.length > 1) throw new UsageError('Choose one of --json, --csv and --car');
  const filter: HistoryFilter = flags.since === undefined ? {} : { fromMs: momentOf(flags.since, Date.now()) };
  await withLedgerFiles(flags.data, async (files) => {
    if (peer !== undefined) {
      filter.peer = findPeer(
        files.flatMap(({ file }) => file.accounts()),
        peer,
      );
    }
    if (flags.car !== undefined) {
      const own = flags.identity ?? join(flags.data, 'identity.key');
      await exportReceipts(files, { path: flags.car, identity: own, filter });
    } else if (flags.csv !== undefined) await writeCsv(files, filter, flags.csv);
    else if (flags.json) console.log(JSON.stringify([...rowsOf(files, filter)]));
    else printHistory([...rowsOf(files, filter)], filter.peer);
  });
}

function* rowsOf(files: readonly NamedLedger[], filter: HistoryFilter): Generator<HistoryRow> {
  for (const { file } of files) yield* file.history(filter);
}

async function writeCsv(files: readonly NamedLedger[], filter: HistoryFilter, path: string): Promise<void> {
  const { historyCsv } = await import('../ledger/index.ts');
  const lines = Readable.from(historyCsv(rowsOf(files, filter)));
  if (path === '-') await pipeline(lines, process.stdout, { end: false });
  else await pipeline(lines, createWriteStream(path));
}

function printHistory(rows: readonly HistoryRow[], peer: string | undefined): void {
  if (rows.length === 0) {
    console.log('Nothing was exchanged in this time.');
    return;
  }
  const columns = ['blocksSent', 'workSent', 'blocksRecv', 'workRecv', 'ghost'] as const;
  const head = [
    'time (UTC)',
    ...(peer === undefined ? ['peer'] : []),
    'blocks out',
    'work out',
    'blocks in',
    'work in',
    'ghost',
  ];
  const cells = rows.map((row) => [
    new Date(row.periodMs).toISOString().slice(0, 16).replace('T', ' '),
    ...(peer === undefined ? [shortPeer(row.peer)] : []),
    ...columns.map((column) => (row[column] === 0 ? '.' : shortBytes(row[column]))),
  ]);
  const first = peer === undefined ? 2 : 1;
  if (peer !== undefined) console.log(`${peer}\n`);
  console.log(formatTable(head, cells, { right: columns.map((_, i) => first + i) }));
}

const SPANS_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @throws UsageError */
function momentOf(text: string, nowMs: number): number {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return Math.max(0, nowMs - Number(count) * SPANS_MS[unit]!);
  const moment = Date.parse(text);
  if (Number.isNaN(moment)) throw new UsageError(`--since takes a date or a span like 90m, 24h or 7d, not ${text}`);
  return Math.max(0, moment);
}
