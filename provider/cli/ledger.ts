import type { Command } from 'commander';
import { defaultDirectory } from '../config.ts';
import { addLedgerCheck } from './ledger-check.ts';
import { withLedgerFiles } from './ledger-files.ts';
import { addLedgerHistory } from './ledger-history.ts';
import { addLedgerReconcile } from './ledger-reconcile.ts';
import { addLedgerStorage } from './ledger-storage.ts';
import { formatAgo, formatTable, shortBytes, shortPeer } from './output.ts';

export function addLedger(program: Command): Command {
  // Options after a subcommand are the subcommand's, at both levels.
  const command = program
    .enablePositionalOptions()
    .command('ledger')
    .description('Show every account: blocks and work in one column, in bytes. Works while the node runs.')
    .option('--data <DIR>', "a provider's or consumer's directory", defaultDirectory('provider'))
    .option('--json', 'print one JSON array')
    .enablePositionalOptions()
    .addHelpText(
      'after',
      `
Examples:
  workswap ledger
  workswap ledger --data ~/.workswap/consumer --json
  workswap ledger history --since 7d --csv week.csv
  workswap ledger reconcile ADDRESS`,
    )
    .action(ledger);
  for (const add of [addLedgerHistory, addLedgerStorage, addLedgerReconcile, addLedgerCheck]) add(command);
  return command;
}

async function ledger({ data, json }: { data: string; json?: boolean }): Promise<void> {
  const accounts = await withLedgerFiles(data, (files) => files.flatMap(({ file }) => file.accounts()));
  const views = accounts.map((account) => ({
    ...account,
    creditLeft: Math.max(0, account.limit - account.balance - account.reserved),
  }));
  if (json) {
    console.log(JSON.stringify(views));
    return;
  }
  if (views.length === 0) {
    console.log('No accounts yet: nothing was exchanged with anybody.');
    return;
  }
  const head = ['peer', 'sent', 'received', 'work', 'owes us', 'credit left', 'score', 'last'];
  const nowMs = Date.now();
  const rows = views
    .toSorted((a, b) => (b.lastMs ?? 0) - (a.lastMs ?? 0))
    .map(({ peer, sent, recv, workSent, workRecv, balance, creditLeft, score, lastMs }) => [
      shortPeer(peer),
      shortBytes(sent),
      shortBytes(recv),
      shareOf(workSent + workRecv, sent + recv),
      shortBytes(balance),
      shortBytes(creditLeft),
      score === null ? '-' : String(score),
      lastMs === null ? '-' : formatAgo(nowMs - lastMs),
    ]);
  console.log(formatTable(head, rows, { right: [1, 2, 3, 4, 5, 6] }));
  console.log(`
"work" is its share of what was sent and received. "owes us" is sent - received
- forgiven by time + ghost debt; below zero, we owe the peer. "score", 0 to 25,
is for connected peers. --json has whole peer ids and every figure; "workswap
ledger history" shows what changed when.`);
}

function shareOf(part: number, whole: number): string {
  return whole === 0 ? '-' : `${Math.round((part / whole) * 100)} %`;
}
