import type { PeerId } from '@libp2p/interface';
import { connect } from '../sdk/client/index.ts';
import type { Client } from '../sdk/client/index.ts';
import { cidText } from '../sdk/protocol/index.ts';
import type { Peer } from './peer.ts';

export type Connect = (addrs: PeerId | string | string[], options?: { signal?: AbortSignal }) => Promise<Client>;

/** How a node connects to providers as a consumer: it books every receipt that comes in its own ledger. */
export function connectAs({ libp2p, scoreLedger }: Pick<Peer, 'libp2p' | 'scoreLedger'>): Connect {
  return async (addrs, { signal } = {}) => {
    const client = await connect(addrs, {
      libp2p,
      ...(signal === undefined ? {} : { signal }),
      onReceipt: async ({ cid, bytes, receipt }) => {
        // Somebody else owes the provider for it.
        if (receipt.sponsor !== undefined && receipt.sponsor !== client.consumer) return;
        await scoreLedger.receiveWork(client.providerId, receipt.priceBytes, { cid: cidText(cid), bytes });
      },
    });
    return client;
  };
}
