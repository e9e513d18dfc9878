import { randomUUID } from 'node:crypto';
import type { PeerId, PrivateKey } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import type { ScoreLedger } from '../ledger/index.ts';
import type { Database } from '../store/index.ts';
import { Collector } from './collector.ts';
import { checkRequest } from './check.ts';
import { PinError } from './errors.ts';
import type { FetchRooms } from './fetch-pin.ts';
import { DELEGATES_MAX } from './limits.ts';
import { Payments } from './payments.ts';
import { Renewals } from './renewals.ts';
import { PinScheduler } from './scheduler.ts';
import { PinTable } from './table.ts';
import { Tokens } from './tokens.ts';
import { Verifier, type Verification } from './verifier.ts';
import type { Pin, PinFilter, PinPage, PinRequest } from './types.ts';

/** The `[pinning] pin` of workswap.toml: whose pins are taken. */
export type PinPolicy = 'nobody' | 'allowed' | 'anyone';

export interface PinningInit extends FetchRooms {
  database: Database;
  policy: PinPolicy;
  /** Peers that may look after the whole store: this node's own commands. */
  operators: ReadonlySet<string>;
  /** Everything that the other rooms need to keep. */
  otherRoots: () => Iterable<CID>;
  scoreLedger: ScoreLedger;
  privateKey: PrivateKey;
  /** Peers whose pins are taken under `allowed`. */
  allowed: ReadonlySet<string>;
  onError: (error: unknown) => void;
}

/**
 * Pins: DAGs that are kept for their owners. An owner is a peer, and sees its own pins only; how it says who it is, by its
 * connection or by a token, is up to who calls.
 */
export class Pinning {
  /** What says over HTTP whose pins these are. */
  readonly tokens: Tokens;
  readonly collector: Collector;
  readonly #init: PinningInit;
  readonly #table: PinTable;
  readonly #scheduler: PinScheduler;
  readonly #verifier: Verifier;
  readonly #payments: Payments;
  readonly #renewals: Renewals;

  /** @throws StoreError */
  constructor(init: PinningInit) {
    this.#init = init;
    this.#table = new PinTable(init.database);
    this.tokens = new Tokens(init.database);
    const { blockstore, onError, otherRoots, limits } = init;
    this.collector = new Collector({
      blockstore,
      onError,
      roots: () => this.#roots(otherRoots),
      storeBytesMax: limits.storeBytesMax,
      freshMs: limits.gcFreshMs,
    });
    this.#payments = new Payments({ ...init, isFree: (owner) => init.allowed.has(owner) });
    const shared = { ...init, table: this.#table, payments: this.#payments };
    this.#scheduler = new PinScheduler({ ...shared, quota: this.collector.quota });
    this.#renewals = new Renewals({ ...shared, tokens: this.tokens });
    this.#verifier = new Verifier(blockstore, (pin, result) => this.#onVerified(pin, result));
  }

  start(): void {
    this.#init.libp2p.addEventListener('peer:connect', this.#onConnect);
    this.collector.start();
    this.#scheduler.start();
    this.#renewals.start();
  }

  async stop(): Promise<void> {
    this.#init.libp2p.removeEventListener('peer:connect', this.#onConnect);
    this.#verifier.stop();
    await this.#renewals.stop();
    await this.#scheduler.stop();
    await this.collector.stop();
  }

  /** @throws PinError PIN_INVALID, PINNING_REFUSED, PIN_LIMIT, INSUFFICIENT_FUNDS */
  add(owner: string, request: PinRequest): Pin {
    const root = this.#admit(owner, request);
    const { pinsPerOwnerMax, pinsMax } = this.#init.limits;
    if (this.#table.count(owner) >= pinsPerOwnerMax) {
      throw new PinError('PIN_LIMIT', `This provider keeps ${pinsPerOwnerMax} pins of one owner. Remove some first.`);
    }
    if (this.#table.count() >= pinsMax) throw new PinError('PIN_LIMIT', 'This provider keeps no more pins.');
    const pin = this.#table.add({ ...request, id: randomUUID(), owner, root }, Date.now());
    this.#scheduler.wake();
    return pin;
  }

  /** A new pin instead of another, whose blocks they may share. @throws as `add`, and PIN_NOT_FOUND */
  replace(owner: string, id: string, request: PinRequest): Pin {
    this.get(owner, id);
    const root = this.#admit(owner, request);
    const pin = this.#table.replace(id, { ...request, id: randomUUID(), owner, root }, Date.now());
    this.#scheduler.cancel(id);
    this.#scheduler.wake();
    return pin;
  }

  /** @throws PinError PIN_NOT_FOUND */
  get(owner: string, id: string): Pin {
    const pin = this.#table.get(id);
    // Somebody else's is not there, as far as this owner can tell.
    if (pin === undefined || pin.owner !== owner) throw new PinError('PIN_NOT_FOUND', 'You have no pin of this id.');
    return this.#scheduler.live(pin);
  }

  /** Without an owner those of all. */
  list(owner: string | undefined, filter: PinFilter): PinPage {
    const { count, pins } = this.#table.list(owner, filter);
    return { count, pins: pins.map((pin) => this.#scheduler.live(pin)) };
  }

  /** @throws PinError PIN_NOT_FOUND */
  remove(owner: string, id: string): void {
    this.get(owner, id);
    this.#table.remove(id);
    this.#scheduler.cancel(id);
  }

  /** @throws PinError PINNING_REFUSED, TOKEN_INVALID */
  createToken(owner: string, token: Parameters<Tokens['create']>[1]): ReturnType<Tokens['create']> {
    this.#admitOwner(owner);
    return this.tokens.create(owner, token);
  }

  /** Multiaddrs at which owners may bring their blocks. */
  delegates(): string[] {
    const { libp2p } = this.#init;
    const addrs = libp2p.getMultiaddrs().map(String);
    return addrs.length === 0 ? [`/p2p/${libp2p.peerId.toString()}`] : addrs.slice(0, DELEGATES_MAX);
  }

  /** Hashes all blocks of a pin again, or says how far that is. What is not here any more is fetched again. */
  verify(owner: string, id: string, { start }: { start: boolean }): Verification | undefined {
    const pin = this.get(owner, id);
    return start ? this.#verifier.start(pin) : this.#verifier.result(id);
  }

  /** @throws PinError NOT_OPERATOR */
  asOperator(owner: string): this {
    if (this.#init.operators.has(owner)) return this;
    throw new PinError('NOT_OPERATOR', "Only this provider's own commands may ask for that.");
  }

  *#roots(otherRoots: () => Iterable<CID>): Generator<CID> {
    yield* otherRoots();
    yield* this.#table.roots();
  }

  #onVerified({ id }: Pin, { missing, corrupt }: Verification): void {
    const pin = this.#table.get(id);
    if (pin === undefined || missing.length + corrupt.length === 0 || pin.status !== 'pinned') return;
    this.#table.change({ ...pin, nextMs: Date.now() }, { status: 'queued' });
    this.#scheduler.wake();
  }

  #admit(owner: string, request: PinRequest): CID {
    this.#admitOwner(owner);
    const root = checkRequest(request);
    this.#payments.check(owner);
    return root;
  }

  #admitOwner(owner: string): void {
    const { policy, allowed } = this.#init;
    if (policy === 'nobody' || (policy === 'allowed' && !allowed.has(owner))) {
      throw new PinError(
        'PINNING_REFUSED',
        policy === 'nobody'
          ? 'This provider pins nothing.'
          : `This provider pins for peers that it knows. Its operator can add ${owner} to credit.allow.`,
      );
    }
  }

  /** Who comes may bring what was not found. */
  readonly #onConnect = ({ detail: peer }: CustomEvent<PeerId>): void => {
    try {
      if (this.#table.retryNow(peer.toString(), Date.now())) this.#scheduler.wake();
    } catch (error) {
      // On a full disk they are tried again later.
      this.#init.onError(error);
    }
  };
}
