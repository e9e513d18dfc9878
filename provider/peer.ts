import { join } from 'node:path';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Libp2p, PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import type { Blockstore } from 'interface-blockstore';
import { createBitswap, networkedBlockstore } from './bitswap/index.ts';
import type { Bitswap } from './bitswap/index.ts';
import { createScoreLedger, Reconciler } from './ledger/index.ts';
import type { CreditPolicy, ScoreLedger } from './ledger/index.ts';
import { createNode, loadIdentity, startNode, Trimmer } from './node/index.ts';
import { prepareRouting, type Routing, type RoutingConfig } from './routing/index.ts';
import { openBlockstore, openDatabase, type FastBlockstore } from './store/index.ts';

export interface PeerInit {
  /** Directory for identity, ledger and blocks. Without it everything is in memory and gone at the end. */
  dataDir?: string;
  /** Instead of the identity in the data directory. */
  privateKey?: PrivateKey;
  /** Instead of the persistent ledger in the data directory: go-bitswap's WithScoreLedger. */
  scoreLedger?: ScoreLedger;
  /** Name of the ledger's file in the data directory. */
  ledgerFile?: string;
  credit?: Partial<CreditPolicy>;
  node: { listen: string[]; connectionsMax: number; connectionRatePerHostMax: number; streamsPerConnectionMax: number };
  /** Who is asked where content is, and what is announced. */
  routing: RoutingConfig;
  signal?: AbortSignal;
}

/** What every node has, provider or consumer: a libp2p host, blocks, Bitswap, and the one ledger that all share. */
export interface Peer {
  libp2p: Libp2p;
  privateKey: PrivateKey;
  /** Local blocks only. */
  blockstore: FastBlockstore;
  /** The same, with Bitswap behind it. */
  blocks: Blockstore;
  bitswap: Bitswap;
  scoreLedger: ScoreLedger;
  routing: Routing;
  /** Compares our books with another peer's. */
  reconciler: Reconciler;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function createPeer(init: PeerInit): Promise<Peer> {
  const { dataDir } = init;
  const database = openDatabase(dataDir === undefined ? ':memory:' : join(dataDir, init.ledgerFile ?? 'ledger.sqlite'));
  const privateKey = init.privateKey ?? (await identityOf(dataDir));
  const blockstore = await openBlockstore(dataDir === undefined ? undefined : join(dataDir, 'blocks'));
  const scoreLedger = init.scoreLedger ?? createScoreLedger({ database, policy: init.credit ?? {} });
  const { parts, attach } = await prepareRouting(init.routing, peerIdFromPrivateKey(privateKey));
  const libp2p = await createNode({ privateKey, ...init.node, parts });
  const routing = attach(libp2p, blockstore);
  const { router } = routing;
  const bitswap = createBitswap({ libp2p, blockstore, scoreLedger }, router === undefined ? {} : { router });
  const reconciler = new Reconciler({ libp2p, privateKey, scoreLedger });
  const trimmer = new Trimmer({
    libp2p,
    connectionsMax: init.node.connectionsMax,
    isFriend: friends(init, scoreLedger),
    standing: {
      // A reservation is a job that runs or a block under way.
      busy: (peer) => scoreLedger.getAccount(peer).reserved > 0 || bitswap.awaits(peer),
      received: (peer) => scoreLedger.getReceipt(peer)?.recv ?? 0,
    },
  });
  return {
    libp2p,
    privateKey,
    blockstore,
    blocks: networkedBlockstore(bitswap, blockstore),
    bitswap,
    scoreLedger,
    routing,
    reconciler,
    async start() {
      scoreLedger.start((peer, score) => trimmer.scored(peer, score));
      trimmer.start();
      await startNode(libp2p, init.node.listen);
      await bitswap.start();
      await reconciler.start();
      await routing.start();
    },
    async stop() {
      trimmer.stop();
      await routing.stop();
      await reconciler.stop();
      await bitswap.stop();
      await libp2p.stop();
      scoreLedger.stop();
      database.close();
    },
  };
}

/** Peers that the operator named: in the ledger's rules, as they are now, or as a way into the network. */
function friends({ credit, routing }: PeerInit, scoreLedger: ScoreLedger): (peer: string) => boolean {
  const contacts = new Set(routing.bootstrap.flatMap((addr) => addr.split('/p2p/').slice(-1)));
  return (peer) => {
    const { allow = [], overrides = {} } = scoreLedger.policy ?? credit ?? {};
    const override = overrides[peer];
    if (override !== undefined) return override !== 'blocked';
    return contacts.has(peer) || allow.includes(peer);
  };
}

async function identityOf(dataDir: string | undefined): Promise<PrivateKey> {
  return dataDir === undefined ? generateKeyPair('Ed25519') : loadIdentity(join(dataDir, 'identity.key'));
}
