import { type BitswapBlockBrokerInit, withBitswap } from '@helia/bitswap';
import type { Libp2p, PeerId } from '@libp2p/interface';
import { defaultLogger } from '@libp2p/logger';
import { MemoryBlockstore } from 'blockstore-core';
import type { Blockstore } from 'interface-blockstore';
import type { CID } from 'multiformats/cid';
import { sha256, sha512 } from 'multiformats/hashes/sha2';
import { startLibp2p } from './bitswap-host.ts';

/** What we use of Helia's block broker, and of the engine inside it. */
interface Broker {
  retrieve(cid: CID, options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  announce(cid: CID): Promise<void>;
  createSession(options: { providers: CID[] }): Pick<Broker, 'retrieve'>;
  stop(): Promise<void>;
  bitswap: {
    peerWantLists: { ledgerForPeer(peer: PeerId): { sent: number; received: number } | undefined };
  };
}

export interface HeliaHost {
  libp2p: Libp2p;
  peerId: PeerId;
  blockstore: Blockstore;
  bitswap: Broker;
}

/** @helia/bitswap without the rest of Helia: its mixin gets the few fields that it uses. On our transports, or on others. */
export async function startHelia(init: BitswapBlockBrokerInit = {}, host?: Libp2p): Promise<HeliaHost> {
  const libp2p = host ?? (await startLibp2p());
  const blockstore = new MemoryBlockstore();
  const brokers: Broker[] = [];
  const mixins: { start(helia: unknown): Promise<void> }[] = [];
  const hashers = [sha256, sha512];
  const helia = {
    status: 'starting',
    libp2p,
    blockstore,
    logger: defaultLogger(),
    routing: {
      async *findProviders(): AsyncGenerator<never> {
        // Nobody: these tests connect their peers themselves.
      },
    },
    getHasher: (code: number) => hashers.find((hasher) => hasher.code === code),
    hasBlockBroker: () => false,
    addBlockBroker: (broker: Broker) => void brokers.push(broker),
    addMixin: (mixin: { start(helia: unknown): Promise<void> }) => void mixins.push(mixin),
  };
  // It has the fields above and no others; @helia/bitswap asks for a whole Helia node in its types only.
  withBitswap(helia as unknown as Parameters<typeof withBitswap>[0], init);
  for (const mixin of mixins) await mixin.start(helia);
  const [bitswap] = brokers;
  if (bitswap === undefined) throw new Error('@helia/bitswap did not add its block broker');
  return { libp2p, peerId: libp2p.peerId, blockstore, bitswap };
}
