import { connect } from '../sdk/client/index.ts';
import type { Client, PreparedTask } from '../sdk/client/index.ts';
import type { PeerId } from '@libp2p/interface';
import { cidText, encodeTask } from '../sdk/protocol/index.ts';
import type { SealedReceipt } from '../sdk/protocol/index.ts';
import { parseConfig } from './config.ts';
import type { ConfigInput } from './config.ts';
import { createPeer } from './peer.ts';
import type { Peer, PeerInit } from './peer.ts';

export interface ConsumerOptions extends Pick<PeerInit, 'dataDir' | 'privateKey' | 'scoreLedger' | 'ledgerFile'> {
  /** Multiaddrs to listen on; none by default: providers fetch blocks over the connection that the consumer opened. */
  listen?: string[];
  /** Who is asked where content is, as in workswap.toml; nobody by default. */
  routing?: NonNullable<ConfigInput['routing']>;
}

/** A node that asks for jobs: it serves its own blocks over Bitswap, and books every receipt in its own ledger. */
export interface Consumer extends Peer {
  connect(addrs: PeerId | string | string[], options?: { signal?: AbortSignal }): Promise<Client>;
  /** Keeps every block that `verify` needs to run the task again: receipt, task, input and tariff. */
  keepEvidence(client: Client, task: PreparedTask, sealed: SealedReceipt): Promise<void>;
}

export async function createConsumer(options: ConsumerOptions = {}): Promise<Consumer> {
  const config = { node: { listen: options.listen ?? [] }, routing: options.routing ?? {} };
  const { node, routing } = parseConfig(config, 'createConsumer({ listen, routing })');
  const peer = await createPeer({ ...options, node, routing });
  const clients = new Set<Client>();
  await peer.start();
  return {
    ...peer,
    async connect(addrs, { signal } = {}) {
      const client = await connect(addrs, {
        libp2p: peer.libp2p,
        ...(signal === undefined ? {} : { signal }),
        onReceipt: async ({ cid, bytes, receipt }) => {
          // Somebody else owes the provider for it.
          if (receipt.sponsor !== undefined && receipt.sponsor !== client.consumer) return;
          await peer.scoreLedger.receiveWork(client.providerId, receipt.priceBytes, { cid: cidText(cid), bytes });
        },
      });
      clients.add(client);
      return client;
    },
    async keepEvidence(client, task, { cid, bytes, receipt }) {
      const tariff = await client.tariff();
      await peer.blockstore.put(cid, bytes);
      await peer.blockstore.put(
        receipt.task,
        encodeTask({
          handler: task.handler,
          input: receipt.input,
          limits: task.limits,
          ...(task.service === undefined ? {} : { service: task.service }),
        }),
      );
      await peer.blockstore.put(receipt.input, task.input);
      await peer.blockstore.put(tariff.cid, tariff.bytes);
    },
    async stop() {
      await Promise.all([...clients].map((client) => client.close()));
      await peer.stop();
    },
  };
}
