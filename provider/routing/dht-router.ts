import type { KadDHT } from '@libp2p/kad-dht';
import type { CID } from 'multiformats/cid';
import type { ContentRouter, Provider } from '../bitswap/index.ts';

/** Asks the DHT for providers, and tells it of ourselves. */
export class DhtRouter implements ContentRouter {
  readonly #dht: KadDHT;

  constructor(dht: KadDHT) {
    this.#dht = dht;
  }

  async *findProviders(cid: CID, options: { signal: AbortSignal }): AsyncGenerator<Provider> {
    for await (const event of this.#dht.findProviders(cid, options)) {
      if (event.name === 'PROVIDER') yield* event.providers;
    }
  }

  /** Announces that we have the block. Resolves with the number of peers that were told. */
  async provide(cid: CID, options: { signal: AbortSignal }): Promise<number> {
    let told = 0;
    for await (const event of this.#dht.provide(cid, options)) {
      if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') told++;
    }
    return told;
  }
}
