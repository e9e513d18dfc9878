import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import { openDatabase } from '../store/index.ts';
import { PinningServer } from './net/index.ts';
import { Pinning, type PinningInit } from './pinning.ts';

export interface OpenPinningInit extends Pick<PinningInit, 'policy' | 'privateOrigins' | 'limits' | 'onError'> {
  peer: Peer;
  dataDir: string | undefined;
  allowed: readonly string[];
}

export interface OpenedPinning {
  pinning: Pinning;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Everything of a provider that has to do with pins. @throws StoreError */
export function openPinning({ peer, dataDir, allowed, ...init }: OpenPinningInit): OpenedPinning {
  const { libp2p, bitswap, blockstore } = peer;
  const database = openDatabase(dataDir === undefined ? ':memory:' : join(dataDir, 'pins.sqlite'));
  const all = new Set([...allowed, libp2p.peerId.toString()]);
  const pinning = new Pinning({ ...init, database, libp2p, bitswap, blockstore, allowed: all });
  const server = new PinningServer({ libp2p, pinning, onError: init.onError });
  return {
    pinning,
    async start() {
      pinning.start();
      await server.start();
    },
    async stop() {
      await server.stop();
      await pinning.stop();
      database.close();
    },
  };
}
