import type { Libp2p } from '@libp2p/interface';
import { multihashToIPNSRoutingKey } from 'ipns';
import { serviceKey } from '../../../sdk/protocol/index.ts';
import { ServiceError } from '../errors.ts';
import { RECORD_BYTES_MAX } from './records.ts';
import type { NameAnswer, NameSource } from './resolver.ts';

const RECORD_TYPE = 'application/vnd.ipfs.ipns-record';
const TIMEOUT_MS = 10_000;

/** A place to find records in, and to put our own into. */
export interface NameRouter extends NameSource {
  publish(name: string, record: Uint8Array, signal: AbortSignal): Promise<void>;
}

/** The DHT of the host, through libp2p. */
export class DhtNames implements NameRouter {
  readonly #routing: Libp2p['contentRouting'];

  constructor({ contentRouting }: Pick<Libp2p, 'contentRouting'>) {
    this.#routing = contentRouting;
  }

  async find(name: string, signal: AbortSignal): Promise<NameAnswer[]> {
    const both = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    return [{ record: await this.#routing.get(keyOf(name), { signal: both }) }];
  }

  async publish(name: string, record: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#routing.put(keyOf(name), record, { signal });
  }
}

/** An HTTP server of Delegated Routing V1: `/routing/v1/ipns/{name}`. It is not trusted: records are checked. */
export class DelegatedNames implements NameRouter {
  readonly #base: URL;

  constructor(url: string) {
    this.#base = new URL(url.endsWith('/') ? url : `${url}/`);
  }

  async find(name: string, signal: AbortSignal): Promise<NameAnswer[]> {
    const response = await this.#fetch(name, { headers: { accept: RECORD_TYPE }, signal });
    if (response.status === 404 || response.body === null) {
      await response.body?.cancel();
      return [];
    }
    if (!response.ok) {
      await response.body.cancel();
      throw this.#error(`answered with status ${response.status}`);
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    // Leaving the loop cancels the body.
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > RECORD_BYTES_MAX) throw this.#error(`answers with more than ${RECORD_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
    return [{ record: Buffer.concat(chunks) }];
  }

  async publish(name: string, record: Uint8Array, signal: AbortSignal): Promise<void> {
    const headers = { 'content-type': RECORD_TYPE };
    const response = await this.#fetch(name, { method: 'PUT', headers, body: Buffer.from(record), signal });
    await response.body?.cancel();
    if (!response.ok) throw this.#error(`answered with status ${response.status}`);
  }

  async #fetch(name: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
    const signal = AbortSignal.any([init.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      // A redirect could lead into our own network.
      return await fetch(new URL(`routing/v1/ipns/${name}`, this.#base), { ...init, signal, redirect: 'error' });
    } catch (error) {
      init.signal.throwIfAborted();
      throw this.#error(`cannot be asked: ${(error as Error).message}`, error);
    }
  }

  #error(reason: string, cause?: unknown): ServiceError {
    return new ServiceError('SERVICE_NOT_FOUND', `The router ${this.#base.href} ${reason}.`, cause);
  }
}

function keyOf(name: string): Uint8Array {
  return multihashToIPNSRoutingKey(serviceKey(name).toMultihash() as Parameters<typeof multihashToIPNSRoutingKey>[0]);
}
