import type { Command } from 'commander';
import { defaultDirectory } from '../config.ts';
import { findPeer, withLedgerFiles } from './ledger-files.ts';
import { formatTable, shortBytes, shortPeer } from './output.ts';

/** What was paid for keeping one pin, over all its periods. */
interface StorageLine {
  peer: string;
  direction: 'given' | 'received';
  pin: string;
  root: string;
  bytes: number;
  priceBytes: number;
  untilMs: number;
}

export function addLedgerStorage(ledger: Command): void {
  ledger
    .command('storage')
    .description('Show what was paid for keeping content, one line for each pin.')
    .argument('[peer]', 'only with this peer: a peer id, or the end of one')
    .option('--data <DIR>', "a provider's or consumer's directory", defaultDirectory('provider'))
    .option('--json', 'print one JSON array')
    .addHelpText(
      'after',
      `
Examples:
  workswap ledger storage
  workswap ledger storage --data ~/.workswap/consumer --json`,
    )
    .action(storage);
}

async function storage(peer: string | undefined, { data, json }: { data: string; json?: boolean }): Promise<void> {
  const { openStorageReceipt } = await import('../../sdk/protocol/index.ts');
  const lines = new Map<string, StorageLine>();
  await withLedgerFiles(data, async (files) => {
    const accounts = files.flatMap(({ file }) => file.accounts());
    const filter = peer === undefined ? {} : { peer: findPeer(accounts, peer) };
    for (const { file } of files) {
      // The newest come first.
      for (const { bytes, direction, peer: other, priceBytes } of file.receipts.list(filter)) {
        const opened = bytes === undefined ? undefined : await openStorageReceipt(bytes).catch(() => undefined);
        if (opened === undefined) continue;
        const { pin, root, bytes: size, untilMs } = opened.receipt;
        const line = lines.get(pin);
        if (line !== undefined) line.priceBytes += priceBytes;
        else lines.set(pin, { peer: other, direction, pin, root: root.toString(), bytes: size, priceBytes, untilMs });
      }
    }
  });
  const all = [...lines.values()];
  if (json) console.log(JSON.stringify(all));
  else if (all.length === 0) console.log('Nothing was paid for keeping content.');
  else {
    const rows = all.map(({ peer: other, direction, root, bytes, priceBytes, untilMs }) => [
      shortPeer(other),
      direction === 'given' ? 'we keep' : 'is kept',
      shortBytes(bytes),
      shortBytes(priceBytes),
      new Date(untilMs).toISOString().slice(0, 10),
      root,
    ]);
    console.log(formatTable(['peer', '', 'size', 'paid', 'until', 'cid'], rows, { right: [2, 3] }));
  }
}
