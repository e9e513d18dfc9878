import type { Command } from 'commander';
import type { DifferenceCause, Reconciled } from '../ledger/index.ts';
import { formatTable, shortBytes } from './output.ts';
import { addConsumerFlags, interruptSignal, openConsumer, type ConsumerFlags } from './session.ts';

type ReconcileFlags = ConsumerFlags & { json?: boolean };

const MEANING: Record<DifferenceCause, string> = {
  RECEIPT_NOT_RECEIVED: 'receipts that never arrived',
  RECEIPT_NOT_GIVEN: 'receipts that the giver does not list: forgotten, or forged',
  PRICE_DIFFERS: 'the same receipts at other prices: one ledger is wrong',
  BLOCKS_NOT_COUNTED: 'blocks sent, but lost on the way or not wanted',
  BLOCKS_NOT_BOOKED: 'more blocks received than the sender has booked',
  OLDER_RECEIPTS: 'receipts older than both lists',
};

export function addLedgerReconcile(ledger: Command): void {
  const command = ledger
    .command('reconcile')
    .description("Compare this consumer's account with what a peer says about it, both sides signed.")
    .argument('<address>', "the peer's multiaddr")
    .option('--json', 'print one JSON document');
  addConsumerFlags(command)
    .addHelpText(
      'after',
      '\nExample:\n  workswap ledger reconcile ADDRESS\n\nEnds with 0 when both sides agree, with 1 when they differ.',
    )
    .action(reconcile);
}

async function reconcile(address: string, flags: ReconcileFlags): Promise<void> {
  const signal = interruptSignal();
  const consumer = await openConsumer(flags);
  try {
    const { providerId } = await consumer.connect(address, { signal });
    const found = await consumer.reconciler.reconcile(providerId, { signal });
    if (!found.agrees) process.exitCode = 1;
    if (flags.json) console.log(JSON.stringify(toJson(found)));
    else print(found);
  } finally {
    await consumer.stop();
  }
}

function toJson({ agrees, differences, ghost, ours, theirs, theirsSigned }: Reconciled): unknown {
  const totals = ({ blocksSent, blocksRecv, workSent, workRecv, receipts }: Reconciled['ours']) => ({
    blocksSent,
    blocksRecv,
    workSent,
    workRecv,
    receipts: receipts.length,
  });
  return {
    agrees,
    peer: theirs.issuer,
    differences: differences.map((one) => ({ ...one, receipts: one.receipts.map(String) })),
    ghost,
    ours: totals(ours),
    theirs: totals(theirs),
    theirsSigned: Buffer.from(theirsSigned).toString('base64'),
  };
}

function print({ agrees, differences, ghost, ours, theirs }: Reconciled): void {
  const rows = [
    ['blocks to them', ours.blocksSent, theirs.blocksRecv],
    ['blocks from them', ours.blocksRecv, theirs.blocksSent],
    ['work for them', ours.workSent, theirs.workRecv],
    ['work from them', ours.workRecv, theirs.workSent],
  ] as const;
  console.log(`${theirs.issuer}\n`);
  console.log(
    formatTable(
      ['bytes', 'we say', 'they say', 'they have more'],
      rows.map(([name, we, they]) => [name, we, they, they - we]),
    ),
  );
  console.log(agrees ? '\nBoth sides agree.' : '\nThe two sides differ:');
  for (const { total, cause, bytes, receipts } of differences) {
    console.log(`  ${total}: ${shortBytes(Math.abs(bytes))}, ${cause}: ${MEANING[cause]}`);
    for (const cid of receipts.slice(0, 10)) console.log(`    ${cid.toString()}`);
    if (receipts.length > 10) console.log(`    and ${receipts.length - 10} more (--json lists them)`);
  }
  if (ghost.theirs > 0) {
    console.log(`They count ${shortBytes(ghost.theirs)} of ghost debt: what they spent on us and we did not take.`);
  }
  if (ghost.ours > 0) console.log(`We count ${shortBytes(ghost.ours)} of ghost debt: what we spent on them in vain.`);
}
