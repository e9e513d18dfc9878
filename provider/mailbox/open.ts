import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import { fetchDag, openDatabase, type GetBlock } from '../store/index.ts';
import { MailboxError } from './errors.ts';
import type { LedgerClock } from '../ledger/index.ts';
import { MAILBOX_LIMITS, type MailboxLimits } from './limits.ts';
import { Mailboxes, type MailboxesInit, type MailboxPolicy } from './mailboxes.ts';
import { MailboxStore } from './store/store.ts';

export interface OpenMailboxesInit extends Pick<MailboxesInit, 'keepRecord' | 'onError'> {
  peer: Pick<Peer, 'libp2p' | 'scoreLedger' | 'bitswap'>;
  dataDir: string | undefined;
  policy: MailboxPolicy;
  allowed: readonly string[];
  limits?: Partial<MailboxLimits>;
  clock?: LedgerClock;
}

/** @throws StoreError */
export async function openMailboxes({ peer, dataDir, allowed, clock, ...init }: OpenMailboxesInit): Promise<Mailboxes> {
  const limits = { ...defaultLimits(), ...init.limits };
  const database = openDatabase(dataDir === undefined ? ':memory:' : join(dataDir, 'mailbox.sqlite'));
  const store = await MailboxStore.open(database, limits, clock);
  const { libp2p, scoreLedger, bitswap } = peer;
  const fetchFile: MailboxesInit['fetchFile'] = async (root, bytesMax, from, signal) => {
    let bytes = 0;
    const getBlock: GetBlock = async (cid, options) => {
      const block = await bitswap.get(cid, options);
      bytes += block.length;
      if (bytes > bytesMax)
        throw new MailboxError('FILE_TOO_LARGE', `${root} has more than the ${bytesMax} bytes that were said.`);
      return block;
    };
    await fetchDag(root, getBlock, { peers: [from], signal });
  };
  return new Mailboxes({ ...init, fetchFile, libp2p, scoreLedger, store, limits, allowed: new Set(allowed) });
}

function defaultLimits(): MailboxLimits {
  const entries = Object.entries(MAILBOX_LIMITS).map(([name, limit]) => [name, limit.default]);
  return Object.fromEntries(entries) as MailboxLimits;
}
