import { encode } from '@ipld/dag-cbor';
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { sendFrame } from '../../net/index.ts';
import { NOTIFY_PROTOCOL, OPEN_TIMEOUT_MS } from './constants.ts';

/** Bytes of notices that a recipient has not read: it will read one of them. */
const UNREAD_BYTES_MAX = 4_096;

/**
 * Tells recipients that something waits: on every connection that they open, and from then on whenever it is more. A notice
 * is only a hint to take; so those of one turn of the event loop are one, and one that is lost is repeated by the next.
 */
export class Notifier {
  readonly #libp2p: Libp2p;
  readonly #waiting: (peer: string) => number;
  readonly #streams = new Map<Connection, Promise<Stream | undefined>>();
  /** Connections of peers that do not want to be told. */
  readonly #deaf = new WeakSet<Connection>();
  readonly #toTell = new Set<string>();
  readonly #stop = new AbortController();

  /** @param waiting how many messages wait for a peer */
  constructor(libp2p: Libp2p, waiting: (peer: string) => number) {
    this.#libp2p = libp2p;
    this.#waiting = waiting;
  }

  start(): void {
    this.#libp2p.addEventListener('connection:open', this.#onOpen);
    this.#libp2p.addEventListener('connection:close', this.#onClose);
  }

  stop(): void {
    this.#stop.abort(new Error('The node is stopping'));
    this.#libp2p.removeEventListener('connection:open', this.#onOpen);
    this.#libp2p.removeEventListener('connection:close', this.#onClose);
    for (const connection of this.#streams.keys()) this.#forget(connection);
  }

  /** Something waits for this peer that it may not know of. */
  notify(peer: string): void {
    if (this.#toTell.size === 0) setImmediate(() => this.#tellAll());
    this.#toTell.add(peer);
  }

  /** The peer takes messages on this connection: whatever it did not understand before, it may now. */
  listens(connection: Connection): void {
    this.#deaf.delete(connection);
  }

  readonly #onOpen = ({ detail }: CustomEvent<Connection>): void => this.notify(detail.remotePeer.toString());

  readonly #onClose = ({ detail }: CustomEvent<Connection>): void => this.#forget(detail);

  #tellAll(): void {
    const peers = [...this.#toTell];
    this.#toTell.clear();
    if (this.#stop.signal.aborted) return;
    for (const peer of peers) {
      const connections = this.#libp2p.getConnections(peerIdFromString(peer) as PeerId);
      if (connections.length === 0) continue;
      const waiting = this.#waiting(peer);
      if (waiting === 0) continue;
      for (const connection of connections) void this.#tell(connection, waiting);
    }
  }

  async #tell(connection: Connection, waiting: number): Promise<void> {
    if (this.#deaf.has(connection) || connection.status !== 'open') return;
    let opening = this.#streams.get(connection);
    if (opening === undefined) {
      opening = this.#openStream(connection);
      this.#streams.set(connection, opening);
    }
    const stream = await opening;
    if (stream === undefined || stream.writeStatus !== 'writable') return;
    if (stream.writeBufferLength < UNREAD_BYTES_MAX) sendFrame(stream, encode({ waiting }));
  }

  async #openStream(connection: Connection): Promise<Stream | undefined> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)]);
    try {
      const stream = await connection.newStream(NOTIFY_PROTOCOL, { signal });
      stream.addEventListener('close', () => this.#streams.delete(connection));
      return stream;
    } catch {
      this.#deaf.add(connection);
      this.#streams.delete(connection);
      return undefined;
    }
  }

  #forget(connection: Connection): void {
    const opening = this.#streams.get(connection);
    this.#streams.delete(connection);
    void opening?.then((stream) => stream?.abort(new Error('There is nothing more to tell')));
  }
}
