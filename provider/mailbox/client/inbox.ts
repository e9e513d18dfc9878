import type { Connection, Stream } from '@libp2p/interface';
import { FrameReader, type Endpoint } from '../../../sdk/protocol/index.ts';
import { NOTICE_BYTES_MAX, NOTIFY_PROTOCOL, OPEN_TIMEOUT_MS } from '../net/constants.ts';
import type { Message } from '../types.ts';
import type { MailboxClient } from './client.ts';
import type { MailboxEndpoint } from './endpoint.ts';

export interface InboxInit {
  client: MailboxClient;
  /** Our mailboxes. */
  endpoints: readonly Endpoint[];
  /**
   * Takes a message for good: it is acknowledged when this resolves. The same message (`from` and `id`) comes again after a
   * crash and from each endpoint that has a copy, never twice at the same time: what was seen is to be ignored.
   */
  receive: (message: Message, provider: string) => Promise<void>;
  onError?: (error: unknown) => void;
}

const PAGE = 100;
const AGAIN_MS_MIN = 1_000;
const AGAIN_MS_MAX = 60_000;

/**
 * A recipient's end of deferred delivery: stays connected to its mailboxes, takes what waits there, and is told by the
 * providers when there is more.
 */
export class Inbox {
  readonly #init: InboxInit;
  readonly #stop = new AbortController();
  readonly #wake = new Map<string, () => void>();
  readonly #draining = new Map<string, Promise<unknown>>();
  #loops: Promise<void>[] = [];
  #receiving: Promise<unknown> = Promise.resolve();

  constructor(init: InboxInit) {
    this.#init = init;
  }

  /** From now on until `stop`. */
  async start(): Promise<void> {
    const { client, endpoints } = this.#init;
    const { libp2p } = client.node;
    await libp2p.handle(NOTIFY_PROTOCOL, (stream, connection) => this.#onNotice(stream, connection), {
      maxInboundStreams: 4,
    });
    libp2p.addEventListener('connection:close', this.#onClose);
    this.#loops = endpoints.map((endpoint) => this.#follow(endpoint));
  }

  async stop(): Promise<void> {
    const { libp2p } = this.#init.client.node;
    this.#stop.abort(new Error('The inbox is closed'));
    for (const wake of this.#wake.values()) wake();
    libp2p.removeEventListener('connection:close', this.#onClose);
    await libp2p.unhandle(NOTIFY_PROTOCOL);
    await Promise.all([...this.#loops, ...this.#draining.values()]);
  }

  /** Takes all that waits at all endpoints now. Errors of single endpoints are returned, not thrown. */
  async takeAll(signal?: AbortSignal): Promise<{ provider: string; error: Error }[]> {
    const { client, endpoints } = this.#init;
    const errors = await Promise.all(
      endpoints.map(async (endpoint) => {
        try {
          await this.#drain(await client.at(endpoint, signal), signal);
          return [];
        } catch (error) {
          return [{ provider: endpoint.peer, error: error as Error }];
        }
      }),
    );
    return errors.flat();
  }

  async #follow(endpoint: Endpoint): Promise<void> {
    const { signal } = this.#stop;
    let againMs = AGAIN_MS_MIN;
    while (!signal.aborted) {
      const woken = Promise.withResolvers<void>();
      this.#wake.set(endpoint.peer, woken.resolve);
      let timer: NodeJS.Timeout | undefined;
      try {
        const inTime = AbortSignal.any([signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)]);
        await this.#drain(await this.#init.client.at(endpoint, inTime));
        againMs = AGAIN_MS_MIN;
      } catch (error) {
        if (signal.aborted) return;
        this.#init.onError?.(error);
        timer = setTimeout(woken.resolve, againMs);
        againMs = Math.min(2 * againMs, AGAIN_MS_MAX);
      }
      if (!signal.aborted) await woken.promise;
      clearTimeout(timer);
    }
  }

  /** One after the other at each endpoint: what two take at the same time would not be in order. */
  #drain(endpoint: MailboxEndpoint, signal?: AbortSignal): Promise<void> {
    const provider = endpoint.provider.toString();
    const before = this.#draining.get(provider) ?? Promise.resolve();
    const until = AbortSignal.any([this.#stop.signal, ...(signal === undefined ? [] : [signal])]);
    const drained = before.then(() => this.#takeFrom(endpoint, provider, until));
    this.#draining.set(
      provider,
      drained.catch(() => {}),
    );
    return drained;
  }

  async #takeFrom(endpoint: MailboxEndpoint, provider: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const page = await endpoint.take({ limit: PAGE }, signal);
      if (page.messages.length === 0) return;
      try {
        for (const message of page.messages) await this.#receiveOne(message, provider);
      } catch (error) {
        // Else they would be ours, and nobody would get them, until the provider takes them back.
        await endpoint.giveBack();
        throw error;
      }
      await endpoint.acknowledge(page.messages, signal);
    }
  }

  /** One after the other, whatever endpoint they come from. */
  async #receiveOne(message: Message, provider: string): Promise<void> {
    const receiving = this.#receiving.then(() => this.#init.receive(message, provider));
    this.#receiving = receiving.catch(() => {});
    await receiving;
  }

  #onNotice(stream: Stream, { remotePeer }: Connection): void {
    const peer = remotePeer.toString();
    if (!this.#init.endpoints.some((endpoint) => endpoint.peer === peer)) {
      stream.abort(new Error('This peer keeps no mailbox of ours'));
      return;
    }
    const reader = new FrameReader(NOTICE_BYTES_MAX);
    stream.addEventListener('message', ({ data }) => {
      try {
        // What it says does not matter: taking tells.
        reader.push(data, () => this.#wake.get(peer)?.());
      } catch (error) {
        stream.abort(error as Error);
      }
    });
    stream.addEventListener('remoteCloseWrite', () => stream.abort(new Error('There are no more notices')));
  }

  /** A connection that ended is opened again at once, then ever more seldom. */
  readonly #onClose = ({ detail }: CustomEvent<Connection>): void => this.#wake.get(detail.remotePeer.toString())?.();
}
