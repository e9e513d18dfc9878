import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { defaultDirectory } from '../config.ts';
import { UsageError } from './errors.ts';
import { formatTable } from './output.ts';

export function addLedger(program: Command): Command {
  return program
    .command('ledger')
    .description('Show every account: blocks and work in one column, in bytes. Works while the node runs.')
    .option('--data <DIR>', "a provider's or consumer's directory", defaultDirectory('provider'))
    .option('--json', 'print one JSON array')
    .addHelpText('after', '\nExamples:\n  workswap ledger\n  workswap ledger --data ~/.workswap/consumer --json')
    .action(ledger);
}

async function ledger({ data, json }: { data: string; json?: boolean }): Promise<void> {
  if (!existsSync(data)) throw new UsageError(`There is no directory ${data}. Name the node's directory with --data.`);
  const { readAccounts } = await import('../ledger/index.ts');
  const files = (await readdir(data)).filter((name) => /^ledger.*\.sqlite$/.test(name));
  const accounts = files.flatMap((name) => readAccounts(join(data, name)));
  if (json) {
    console.log(JSON.stringify(accounts));
    return;
  }
  if (accounts.length === 0) {
    console.log('No accounts yet: nothing was exchanged with anybody.');
    return;
  }
  const head = ['peer', 'sent', 'of it work', 'received', 'of it work', 'owes us', 'ghost', 'limit'];
  const rows = accounts.map(({ peer, sent, workSent, recv, workRecv, balance, ghost, limit }) => [
    peer,
    sent,
    workSent,
    recv,
    workRecv,
    balance,
    ghost,
    limit,
  ]);
  console.log(formatTable(head, rows));
  console.log(
    '\nAll in bytes. "owes us" = sent - received - what time has forgiven + ghost; negative: we owe the peer.',
  );
}
