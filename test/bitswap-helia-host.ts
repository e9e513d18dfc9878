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

/** @helia/bitswap on our transports, without the rest of Helia: its mixin gets the few fields that it uses. */
export async function startHelia(init: BitswapBlockBrokerInit = {}): Promise<HeliaHost> {
  const libp2p = await startLibp2p();
  const blockstore = new MemoryBlockstore();
  const brokers: Broker[] = [];
  const mixins: { start(helia: unknown): Promise<void> }[] = [];
  const hashers = [sha256, sha512];
  const host = {
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
  // The host has the fields above and no others; @helia/bitswap asks for a whole Helia node in its types only.
  withBitswap(host as unknown as Parameters<typeof withBitswap>[0], init);
  for (const mixin of mixins) await mixin.start(host);
  const [bitswap] = brokers;
  if (bitswap === undefined) throw new Error('@helia/bitswap did not add its block broker');
  return { libp2p, peerId: libp2p.peerId, blockstore, bitswap };
}
