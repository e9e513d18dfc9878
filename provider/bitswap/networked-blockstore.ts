import type { AbortOptions, PeerId } from '@libp2p/interface';
import type { Blockstore, InputPair, Pair } from 'interface-blockstore';
import type { CID } from 'multiformats/cid';
import type { Bitswap } from './bitswap.ts';
import type { Session } from './client/session.ts';

interface Options extends AbortOptions {
  session?: Session;
  peers?: PeerId[];
}

type Bytes = InputPair['bytes'];

/**
 * A block store whose `get` falls back to Bitswap and whose `put` serves the peers that wait for the block: what
 * importers, exporters and modules use. `has` and `getAll` speak only of the local store.
 */
export function networkedBlockstore(bitswap: Bitswap, blockstore: Blockstore): Blockstore {
  return new NetworkedBlockstore(bitswap, blockstore);
}

class NetworkedBlockstore implements Blockstore {
  readonly #bitswap: Bitswap;
  readonly #local: Blockstore;

  constructor(bitswap: Bitswap, local: Blockstore) {
    this.#bitswap = bitswap;
    this.#local = local;
  }

  has(cid: CID, options?: Options): boolean | Promise<boolean> {
    return this.#local.has(cid, options);
  }

  async put(cid: CID, value: Bytes, options?: Options): Promise<CID> {
    const bytes = value instanceof Uint8Array ? value : await collect(value);
    await this.#local.put(cid, bytes, options);
    this.#bitswap.notify(cid, bytes);
    return cid;
  }

  async *putMany(source: Iterable<InputPair> | AsyncIterable<InputPair>, options?: Options): AsyncGenerator<CID> {
    for await (const { cid, bytes } of source) yield await this.put(cid, bytes, options);
  }

  async *get(cid: CID, options: Options = {}): AsyncGenerator<Uint8Array> {
    const { signal, session, peers } = options;
    yield await this.#bitswap.get(cid, {
      ...(signal === undefined ? {} : { signal }),
      ...(session === undefined ? {} : { session }),
      ...(peers === undefined ? {} : { peers }),
    });
  }

  async *getMany(source: Iterable<CID> | AsyncIterable<CID>, options?: Options): AsyncGenerator<Pair> {
    for await (const cid of source) yield { cid, bytes: this.get(cid, options) };
  }

  delete(cid: CID, options?: Options): void | Promise<void> {
    return this.#local.delete(cid, options);
  }

  deleteMany(source: Iterable<CID> | AsyncIterable<CID>, options?: Options): Generator<CID> | AsyncGenerator<CID> {
    return this.#local.deleteMany(source, options);
  }

  getAll(options?: Options): Generator<Pair> | AsyncGenerator<Pair> {
    return this.#local.getAll(options);
  }
}

async function collect(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const collected: Uint8Array[] = [];
  for await (const part of parts) collected.push(part);
  return collected.length === 1 ? (collected[0] as Uint8Array) : Buffer.concat(collected);
}
