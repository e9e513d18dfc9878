import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import type { PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { CID } from 'multiformats/cid';
import type { ContentRouter, Provider } from '../bitswap/index.ts';
import { RouterError } from './errors.ts';
import type { RoutingLimits } from './limits.ts';

const NDJSON = 'application/x-ndjson';
const JSON_TYPE = 'application/json';
/** Longer than any peer id or address that we could dial. */
const TEXT_MAX = 256;

/**
 * Asks an HTTP server for providers (Delegated Routing V1, `GET /routing/v1/providers/{cid}`). The server is chosen in the
 * configuration and not trusted any further: its answer is read record by record, with limits on size and time, and what
 * is not a provider that we could dial is skipped.
 *
 * The client that Helia uses reads whole JSON answers and lines of any length, and ends at the first line that is not JSON.
 */
export class DelegatedRouter implements ContentRouter {
  readonly #base: URL;
  readonly #limits: RoutingLimits;

  constructor(url: string, limits: RoutingLimits) {
    this.#base = new URL(url.endsWith('/') ? url : `${url}/`);
    this.#limits = limits;
  }

  /** @throws RouterError, after what was found before; or the signal's reason */
  async *findProviders(cid: CID, options: { signal: AbortSignal }): AsyncGenerator<Provider> {
    const timeout = AbortSignal.timeout(this.#limits.answerTimeoutMs);
    const signal = AbortSignal.any([options.signal, timeout]);
    try {
      const response = await fetch(new URL(`routing/v1/providers/${cid.toV1().toString()}`, this.#base), {
        headers: { accept: `${NDJSON}, ${JSON_TYPE};q=0.8` },
        // A redirect could lead into our own network.
        redirect: 'error',
        signal,
      });
      try {
        yield* this.#read(response);
      } finally {
        // Once the reader has cancelled the body there is nothing left to cancel.
        await response.body?.cancel().catch(() => {});
      }
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof RouterError) throw error;
      if (timeout.aborted)
        throw this.#error(`did not finish its answer within ${this.#limits.answerTimeoutMs} ms`, error);
      throw this.#error(`cannot be asked: ${(error as Error).message}`, error);
    }
  }

  async *#read(response: Response): AsyncGenerator<Provider> {
    if (response.status === 404 || response.body === null) return;
    if (!response.ok) throw this.#error(`answered with status ${response.status}`);
    const type = response.headers.get('content-type') ?? '';
    const records = type.startsWith(NDJSON)
      ? this.#lines(response.body)
      : type.startsWith(JSON_TYPE)
        ? this.#document(response.body)
        : undefined;
    if (records === undefined) throw this.#error(`answered with the content type "${type.slice(0, TEXT_MAX)}"`);
    for await (const record of records) {
      const provider = decodeProvider(record, this.#limits.addressesPerProviderMax);
      if (provider !== undefined) yield provider;
    }
  }

  async *#document(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#bounded(body)) chunks.push(chunk);
    const document = parse(Buffer.concat(chunks));
    const { Providers: providers } = isRecord(document) ? document : {};
    if (providers === null || (providers === undefined && isRecord(document))) return;
    if (!Array.isArray(providers)) throw this.#error('answered with something that is not a list of providers');
    yield* providers;
  }

  async *#lines(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
    let parts: Uint8Array[] = [];
    let held = 0;
    for await (const chunk of this.#bounded(body)) {
      let from = 0;
      for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
        parts.push(chunk.subarray(from, to));
        yield parse(Buffer.concat(parts));
        parts = [];
        held = 0;
        from = to + 1;
      }
      parts.push(chunk.subarray(from));
      held += chunk.length - from;
      if (held > this.#limits.recordBytesMax) {
        throw this.#error(`sends a record of more than ${this.#limits.recordBytesMax} bytes`);
      }
    }
    yield parse(Buffer.concat(parts));
  }

  async *#bounded(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > this.#limits.answerBytesMax) {
        throw this.#error(`answers with more than ${this.#limits.answerBytesMax} bytes`);
      }
      yield chunk;
    }
  }

  #error(reason: string, cause?: unknown): RouterError {
    return new RouterError(this.#base.href, reason, cause);
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The older schemas ("bitswap", "graphsync") have the same ID and Addrs. */
function decodeProvider(record: unknown, addressesMax: number): Provider | undefined {
  if (!isRecord(record)) return undefined;
  const id = decodePeerId(record['ID']);
  if (id === undefined) return undefined;
  const texts: unknown[] = Array.isArray(record['Addrs']) ? record['Addrs'] : [];
  const multiaddrs = texts
    .slice(0, addressesMax)
    .map(decodeAddress)
    .filter((address) => address !== undefined);
  return { id, multiaddrs };
}

function decodePeerId(text: unknown): PeerId | undefined {
  if (typeof text !== 'string' || text.length > TEXT_MAX) return undefined;
  try {
    const id = peerIdFromString(text);
    return id.type === 'url' ? undefined : id;
  } catch {
    return undefined;
  }
}

function decodeAddress(text: unknown): Multiaddr | undefined {
  if (typeof text !== 'string' || text.length > TEXT_MAX) return undefined;
  try {
    return multiaddr(text);
  } catch {
    return undefined;
  }
}
