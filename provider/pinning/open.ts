import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import { openDatabase } from '../store/index.ts';
import { checkRequest } from './check.ts';
import { PinTable } from './table.ts';
import type { PinRequest } from './types.ts';
import { PinningServer } from './net/index.ts';
import { Pinning, type PinningInit } from './pinning.ts';

const FILE = 'pins.sqlite';

export interface OpenPinningInit extends Pick<
  PinningInit,
  'policy' | 'privateOrigins' | 'limits' | 'otherRoots' | 'onError'
> {
  peer: Peer;
  dataDir: string | undefined;
  allowed: readonly string[];
  operators: readonly string[];
}

export interface OpenedPinning {
  pinning: Pinning;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Adds a pin while the provider of the directory does not run. @throws StoreError, PinError */
export function addPinOffline(dataDir: string, owner: string, request: PinRequest): void {
  const root = checkRequest(request);
  const database = openDatabase(join(dataDir, FILE));
  try {
    new PinTable(database).add({ ...request, id: randomUUID(), owner, root }, Date.now());
  } finally {
    database.close();
  }
}

/** Everything of a provider that has to do with pins. @throws StoreError */
export function openPinning({ peer, dataDir, allowed, operators, ...init }: OpenPinningInit): OpenedPinning {
  const { libp2p, bitswap, blockstore, scoreLedger, privateKey } = peer;
  const database = openDatabase(dataDir === undefined ? ':memory:' : join(dataDir, FILE));
  const own = libp2p.peerId.toString();
  const pinning = new Pinning({
    ...init,
    database,
    libp2p,
    bitswap,
    blockstore,
    scoreLedger,
    privateKey,
    allowed: new Set([...allowed, own]),
    operators: new Set([...operators, own]),
  });
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
