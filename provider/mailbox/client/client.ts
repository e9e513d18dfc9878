import { randomBytes } from 'node:crypto';
import type { Libp2p, PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import type { CID } from 'multiformats/cid';
import type { Bitswap } from '../../bitswap/index.ts';
import type { ScoreLedger } from '../../ledger/index.ts';
import { descriptorOf, type NameRecord } from '../../services/index.ts';
import {
  DocumentError,
  isExpired,
  openMailboxRecord,
  WorkswapError,
  type Endpoint,
  type MailboxRecord,
} from '../../../sdk/protocol/index.ts';
import { MailboxError } from '../errors.ts';
import { MESSAGE_ID_BYTES, TTL_MS_DEFAULT } from '../limits.ts';
import { OPEN_TIMEOUT_MS } from '../net/constants.ts';
import { mailboxName } from '../publication.ts';
import type { MessageStatus } from '../types.ts';
import { MailboxEndpoint, type PutOptions } from './endpoint.ts';

/** What a node has to have: providers and consumers both do. */
export interface MailboxNode {
  /** Of a provider: the mailboxes that it keeps itself, which it cannot dial. */
  mailboxes?: LocalMailboxes;
  libp2p: Libp2p;
  bitswap: Pick<Bitswap, 'get'>;
  scoreLedger: ScoreLedger;
  resolveName(name: string, signal: AbortSignal): Promise<NameRecord>;
}

/** Takes a message of the provider itself. */
export interface LocalMailboxes {
  leave(to: string, id: Uint8Array, body: Uint8Array, ttlMs: number): Promise<void>;
}

/** What one endpoint said to a message. */
export interface Copy {
  provider: string;
  /** What we paid; nothing when it was there already. */
  priceBytes?: number;
  error?: Error;
}

/** A file that a message names: root and bytes of all blocks of its DAG. Our node serves it. */
export interface AttachedFile {
  root: CID;
  bytes: number;
}

export interface SendOptions extends PutOptions {
  id?: Uint8Array;
  /** The most to pay at all mailboxes together; each gets an equal share of it as its `priceMaxBytes`. */
  priceAllMaxBytes?: number;
  files?: readonly AttachedFile[];
  signal?: AbortSignal | undefined;
}

export interface Sent {
  id: Uint8Array;
  copies: Copy[];
}

const FIND_TIMEOUT_MS = 20_000;
const ENDPOINTS_MAX = 1_024;

/** Sends messages to peers' mailboxes: finds where they are, and leaves a copy at each. */
export class MailboxClient {
  readonly node: MailboxNode;
  /** Those asked for last are last. */
  readonly #endpoints = new Map<string, MailboxEndpoint>();
  readonly #endpointsMax: number;

  /** @param endpointsMax how many endpoints are remembered, besides those that have a stream open */
  constructor(node: MailboxNode, { endpointsMax = ENDPOINTS_MAX }: { endpointsMax?: number } = {}) {
    this.node = node;
    this.#endpointsMax = endpointsMax;
  }

  /** A peer's own signed record. @throws ServiceError SERVICE_NOT_FOUND, RecordError, DocumentError */
  async find(peer: PeerId, signal: AbortSignal = AbortSignal.timeout(FIND_TIMEOUT_MS)): Promise<MailboxRecord> {
    const descriptor = descriptorOf(await this.node.resolveName(mailboxName(peer), signal));
    const sealed = await openMailboxRecord(await this.node.bitswap.get(descriptor, { signal }));
    if (sealed.peer !== peer.toString()) throw new DocumentError('mailbox', `it is ${sealed.peer}'s`);
    if (isExpired(sealed.record, Date.now())) throw new DocumentError('mailbox', 'it has expired');
    return sealed.record;
  }

  /** Connects to a provider. @throws MailboxError NO_ENDPOINT */
  async at(
    { peer, addrs }: Endpoint,
    signal: AbortSignal = AbortSignal.timeout(OPEN_TIMEOUT_MS),
  ): Promise<MailboxEndpoint> {
    const { libp2p, scoreLedger } = this.node;
    const id = peerIdFromString(peer);
    try {
      if (libp2p.getConnections(id).length === 0) {
        await libp2p.dial(
          addrs.map((addr) => withPeer(addr, peer)),
          { signal },
        );
      }
    } catch (error) {
      signal.throwIfAborted();
      throw new MailboxError('NO_ENDPOINT', `No mailbox answers at ${addrs.join(', ')}: ${(error as Error).message}`);
    }
    const onPrice = (provider: PeerId, bytes: number): void => scoreLedger.addToReceivedBytes(provider, bytes, 'work');
    const endpoint = this.#endpoints.get(peer) ?? new MailboxEndpoint(id, { libp2p, onPrice });
    this.#endpoints.delete(peer);
    this.#forgetIdle();
    this.#endpoints.set(peer, endpoint);
    return endpoint;
  }

  /**
   * Leaves a message at all of a peer's endpoints that take it; durable at one at least when it resolves.
   * @throws when none takes it a refusal that is worth a retry, or else the first; as `find` does
   */
  async send(
    to: PeerId,
    body: Uint8Array,
    { id = randomBytes(MESSAGE_ID_BYTES), files = [], signal, priceAllMaxBytes, ...rest }: SendOptions = {},
  ): Promise<Sent> {
    const { endpoints } = await this.find(to, signal);
    if (endpoints.length === 0) throw new MailboxError('NO_ENDPOINT', `${to.toString()} names no mailbox.`);
    const options: PutOptions =
      priceAllMaxBytes === undefined
        ? rest
        : { ...rest, priceMaxBytes: Math.floor(priceAllMaxBytes / endpoints.length) };
    const copies = await Promise.all(
      endpoints.map(async (place): Promise<Copy> => {
        try {
          const own = this.#ownAt(place);
          if (own !== undefined) {
            await own.leave(to.toString(), id, body, options.ttlMs ?? TTL_MS_DEFAULT);
            return { provider: place.peer };
          }
          const endpoint = await this.at(place, signal);
          // A message is there only when all that it names is.
          for (const { root, bytes } of files) await endpoint.hold(to, root, bytes, options, signal);
          const { priceBytes } = await endpoint.put(to, id, body, options, signal);
          return { provider: place.peer, priceBytes };
        } catch (error) {
          return { provider: place.peer, error: error as Error };
        }
      }),
    );
    const errors = copies.flatMap(({ error }) => error ?? []);
    if (errors.length === copies.length) throw errors.find(isRetryable) ?? errors[0]!;
    return { id, copies };
  }

  /** What became of a message: the furthest that any endpoint knows. */
  async status(to: PeerId, id: Uint8Array, signal?: AbortSignal): Promise<MessageStatus> {
    const { endpoints } = await this.find(to, signal);
    const asked = await Promise.allSettled(
      endpoints.map(async (place) => (await (await this.at(place, signal)).status(to, [id], signal))[0]!),
    );
    const known = asked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    if (known.length === 0) throw (asked[0] as PromiseRejectedResult | undefined)?.reason ?? noEndpoint(to);
    const order = ['acknowledged', 'waiting', 'closed', 'expired', 'unknown'];
    return known.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0]!;
  }

  /** Makes room for one more. Those with a stream stay, which are as many as there are connections at most. */
  #forgetIdle(): void {
    let tooMany = this.#endpoints.size + 1 - this.#endpointsMax;
    if (tooMany <= 0) return;
    for (const [peer, { isIdle }] of this.#endpoints) {
      if (!isIdle) continue;
      this.#endpoints.delete(peer);
      if (--tooMany === 0) return;
    }
  }

  #ownAt({ peer }: Endpoint): LocalMailboxes | undefined {
    return peer === this.node.libp2p.peerId.toString() ? this.node.mailboxes : undefined;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#endpoints.values()].map((endpoint) => endpoint.close()));
  }
}

/** Whether it may be taken another time: a message is not given up while one of its recipient's mailboxes may. */
function isRetryable(error: Error): boolean {
  return !(error instanceof WorkswapError) || error.retryable;
}

function noEndpoint(to: PeerId): MailboxError {
  return new MailboxError('NO_ENDPOINT', `${to.toString()} names no mailbox.`);
}

/** An address that does not say whose it is would be anybody's. */
function withPeer(addr: string, peer: string): ReturnType<typeof multiaddr> {
  return multiaddr(addr.includes('/p2p/') ? addr : `${addr}/p2p/${peer}`);
}
