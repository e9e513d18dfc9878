import { randomBytes } from 'node:crypto';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Libp2p, PeerId } from '@libp2p/interface';
import type { Blockstore } from 'interface-blockstore';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { sha256 } from 'multiformats/hashes/sha2';
import { type Bitswap, type BitswapInit, createBitswap } from '../provider/bitswap/index.ts';
import type { Account, LedgerReceipt, Reservation, ScoreLedger } from '../provider/ledger/types.ts';
import { createNode } from '../provider/node/index.ts';
import { openBlockstore } from '../provider/store/index.ts';

/** The ledger's rules in a few lines of memory, so that Bitswap's tests see every call and set every limit. */
export class MemoryLedger implements ScoreLedger {
  readonly #accounts = new Map<string, Account>();
  readonly open = new Set<Reservation>();
  limit: number;

  constructor(limit = Number.MAX_SAFE_INTEGER) {
    this.limit = limit;
  }

  account(peer: PeerId): Account {
    const key = peer.toString();
    let account = this.#accounts.get(key);
    if (account === undefined) {
      const zero = { sent: 0, recv: 0, exchanged: 0, blocksSent: 0, blocksRecv: 0, workSent: 0, workRecv: 0 };
      account = { peer: key, value: 0, ...zero, balance: 0, limit: 0, reserved: 0, ghost: 0, forgiven: 0 };
      this.#accounts.set(key, account);
    }
    account.value = account.sent / (account.recv + 1);
    account.balance = account.sent - account.recv + account.ghost - account.forgiven;
    account.limit = this.limit;
    return account;
  }

  getReceipt(peer: PeerId): LedgerReceipt | undefined {
    return this.#accounts.has(peer.toString()) ? this.account(peer) : undefined;
  }

  addToSentBytes(peer: PeerId, bytes: number): void {
    const account = this.account(peer);
    account.sent += bytes;
    account.blocksSent += bytes;
  }

  addToReceivedBytes(peer: PeerId, bytes: number): void {
    const account = this.account(peer);
    account.recv += bytes;
    account.blocksRecv += bytes;
  }

  peerConnected(): void {}
  peerDisconnected(): void {}
  start(): void {}
  stop(): void {}

  reserve(peer: PeerId, amount: number): Reservation {
    const account = this.account(peer);
    if (account.balance + account.reserved + amount > account.limit) {
      throw Object.assign(new Error('over credit'), { code: 'OVER_CREDIT', waitMs: null });
    }
    account.reserved += amount;
    const reservation: Reservation = { peer, kind: 'blocks', amount };
    this.open.add(reservation);
    return reservation;
  }

  async settle(reservation: Reservation, actual: number): Promise<void> {
    this.#end(reservation, actual);
    this.addToSentBytes(reservation.peer, actual);
  }

  abandon(reservation: Reservation, spent: number): void {
    this.#end(reservation, spent);
    this.account(reservation.peer).ghost += spent;
  }

  #end(reservation: Reservation, spent: number): void {
    if (!this.open.delete(reservation)) throw new Error('A reservation was ended twice');
    if (spent > reservation.amount) throw new Error('More was spent than reserved');
    this.account(reservation.peer).reserved -= reservation.amount;
  }

  receiveWork(): Promise<boolean> {
    return Promise.resolve(true);
  }

  getAccount(peer: PeerId): Account {
    return this.account(peer);
  }

  accounts(): Iterable<Account> {
    return this.#accounts.values();
  }
}

export interface Host {
  libp2p: Libp2p;
  peerId: PeerId;
  blockstore: Blockstore;
  ledger: MemoryLedger;
  bitswap: Bitswap;
}

const hosts: { libp2p: Libp2p; bitswap?: Bitswap }[] = [];

/** A libp2p host on loopback with our transports. */
export async function startLibp2p(listen = ['/ip4/127.0.0.1/tcp/0']): Promise<Libp2p> {
  const privateKey = await generateKeyPair('Ed25519');
  const limits = { connectionsMax: 400, connectionRatePerHostMax: 1000, streamsPerConnectionMax: 1000 };
  const libp2p = await createNode({ privateKey, listen, ...limits });
  await libp2p.start();
  hosts.push({ libp2p });
  return libp2p;
}

export async function startHost(
  init: BitswapInit & { blockstore?: Blockstore; ledger?: MemoryLedger } = {},
): Promise<Host> {
  const libp2p = await startLibp2p();
  const blockstore = init.blockstore ?? (await openBlockstore());
  const ledger = init.ledger ?? new MemoryLedger();
  const bitswap = createBitswap({ libp2p, blockstore, scoreLedger: ledger }, init);
  await bitswap.start();
  hosts.push({ libp2p, bitswap });
  return { libp2p, peerId: libp2p.peerId, blockstore, ledger, bitswap };
}

/** Ends everything that was started since the last call. */
export async function stopHosts(): Promise<void> {
  for (const { bitswap, libp2p } of hosts.splice(0).reverse()) {
    await bitswap?.stop();
    await libp2p.stop();
  }
}

export async function connect(from: Libp2p, to: Libp2p): Promise<void> {
  await from.dial(to.getMultiaddrs());
  // The dialler is done a moment before the other side is.
  await until(() => to.getConnections(from.peerId).length > 0);
}

export async function makeBlock(bytes: Uint8Array): Promise<{ cid: CID; bytes: Uint8Array }> {
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes };
}

export async function randomBlocks(count: number, size: number): Promise<{ cid: CID; bytes: Uint8Array }[]> {
  return Promise.all(Array.from({ length: count }, () => makeBlock(randomBytes(size))));
}

export async function putAll(store: Blockstore, blocks: { cid: CID; bytes: Uint8Array }[]): Promise<void> {
  for (const { cid, bytes } of blocks) await store.put(cid, bytes);
}

/** Resolves when `condition` holds, looking again after every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 1);
    await promise;
  }
}
