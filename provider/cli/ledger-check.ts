import { createReadStream, existsSync } from 'node:fs';
import type { Command } from 'commander';
import { UsageError } from './errors.ts';
import { formatTable, shortBytes, shortPeer } from './output.ts';

export function addLedgerCheck(ledger: Command): void {
  ledger
    .command('check')
    .description('Check a file of statements and receipts that somebody exported with "ledger history --car".')
    .argument('<file>', 'the CAR file')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  workswap ledger check receipts.car\n\nEnds with 1 when something does not hold.',
    )
    .action(check);
}

async function check(path: string, { json }: { json?: boolean }): Promise<void> {
  if (!existsSync(path)) throw new UsageError(`There is no file ${path}`);
  const { checkCar } = await import('../ledger/index.ts');
  const checked = await checkCar(createReadStream(path));
  const { statements, receipts, missing, problems } = checked;
  if (problems.length > 0) process.exitCode = 1;
  if (json) {
    console.log(JSON.stringify({ holds: problems.length === 0, ...checked }));
    return;
  }
  if (statements.length > 0) {
    const head = ['says', 'about', 'work done', 'proven', 'work received', 'proven'];
    const rows = statements.map((one) => [
      shortPeer(one.issuer),
      shortPeer(one.subject),
      ...[one.workSent, one.provenSent, one.workRecv, one.provenRecv].map(shortBytes),
    ]);
    console.log(`${formatTable(head, rows, { right: [2, 3, 4, 5] })}\n`);
  }
  for (const problem of problems) console.log(`DOES NOT HOLD: ${problem}`);
  const rest = missing === 0 ? '' : `; ${missing} that the statements list are not in the file`;
  console.log(`${problems.length === 0 ? 'Everything holds: ' : ''}${receipts} receipts checked${rest}.`);
}
