import type { Client, PreparedTask } from '../sdk/client/index.ts';
import type { PeerId } from '@libp2p/interface';
import { encodeTask } from '../sdk/protocol/index.ts';
import type { SealedReceipt } from '../sdk/protocol/index.ts';
import { connectAs } from './connect-as.ts';
import { parseConfig } from './config.ts';
import type { ConfigInput } from './config.ts';
import { createPeer } from './peer.ts';
import type { Peer, PeerInit } from './peer.ts';
import { openConsumerServices } from './services/index.ts';
import type { ConsumerServices, DnsLink, NameRecord, ServiceRunner } from './services/index.ts';

export interface ConsumerOptions extends Pick<PeerInit, 'dataDir' | 'privateKey' | 'scoreLedger' | 'ledgerFile'> {
  /** Multiaddrs to listen on; none by default: providers fetch blocks over the connection that the consumer opened. */
  listen?: string[];
  /** Who is asked where content is, as in workswap.toml; nobody by default. */
  routing?: NonNullable<ConfigInput['routing']>;
  /** Asks the domain name system about names with dots: at the machine's own servers, or at these; off by default. */
  dnslink?: boolean | readonly string[];
}

/** A node that asks for jobs: it serves its own blocks over Bitswap, and books every receipt in its own ledger. */
export interface Consumer extends Peer {
  /** Uses services at their endpoints: resolves names, checks who may serve them, fails over. */
  readonly runner: ServiceRunner;
  /** What names with dots stand for; undefined when the configuration has it off. */
  readonly dnslink: DnsLink | undefined;
  /** What an IPNS name stands for: the newest record that connected peers, contacts and routers know. */
  resolveName(name: string, signal: AbortSignal): Promise<NameRecord>;
  /** The same asked of all of them anew, where one may have a reason to show an older record; undefined when none has any. */
  newestName(name: string, signal: AbortSignal): Promise<NameRecord | undefined>;
  connect(addrs: PeerId | string | string[], options?: { signal?: AbortSignal }): Promise<Client>;
  /** Keeps every block that `verify` needs to run the task again: receipt, task, input and tariff. */
  keepEvidence(client: Client, task: PreparedTask, sealed: SealedReceipt): Promise<void>;
}

export async function createConsumer(options: ConsumerOptions = {}): Promise<Consumer> {
  const config = { node: { listen: options.listen ?? [] }, routing: options.routing ?? {} };
  const { node, routing } = parseConfig(config, 'createConsumer({ listen, routing })');
  const peer = await createPeer({ ...options, node, routing });
  const connect = connectAs(peer);
  const clients = new Set<Client>();
  await peer.start();
  let services: ConsumerServices | undefined;
  const consumer: Consumer = {
    ...peer,
    get runner() {
      return open().runner;
    },
    get dnslink() {
      return open().dnslink;
    },
    resolveName: (name, signal) => open().resolveName(name, signal),
    newestName: (name, signal) => open().newestName(name, signal),
    async connect(addrs, from) {
      const client = await connect(addrs, from);
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
      services?.close();
      await Promise.all([...clients].map((client) => client.close()));
      await peer.stop();
    },
  };
  // Most consumers call a handler or two and never look for a name.
  function open(): ConsumerServices {
    services ??= openConsumerServices({
      peer,
      dataDir: options.dataDir,
      routing,
      dnslink: options.dnslink ?? false,
      connect: (addrs, from) => consumer.connect(addrs, from),
    });
    return services;
  }
  return consumer;
}
