import type { Libp2p, PeerId, Stream } from '@libp2p/interface';
import { varintLength, writeVarint } from '../provider/bitswap/wire/varint.ts';
import { FrameReader, LimitedBudget } from '../provider/bitswap/wire/frames.ts';
import { BitswapMessage, BlockPresenceType, WantType } from '../provider/bitswap/pb/message.js';
import type { CID } from 'multiformats/cid';
import { BITSWAP_PROTOCOLS } from '../provider/bitswap/index.ts';
import { startLibp2p } from './bitswap-host.ts';

export interface Entry {
  cid: CID | Uint8Array;
  priority?: number;
  cancel?: boolean;
  have?: boolean;
  sendDontHave?: boolean;
}

/**
 * A peer that speaks Bitswap by hand, through protons' codec and not ours, so that a test can say anything: also what
 * no honest peer would.
 */
export class RawPeer {
  readonly libp2p: Libp2p;
  readonly peerId: PeerId;
  readonly #protocols: readonly string[];
  readonly #seen: BitswapMessage[] = [];
  #wake: () => void = () => undefined;

  constructor(libp2p: Libp2p, protocols: readonly string[]) {
    this.libp2p = libp2p;
    this.peerId = libp2p.peerId;
    this.#protocols = protocols;
  }

  async start(): Promise<void> {
    await this.libp2p.handle([...this.#protocols], (stream) => this.#read(stream), { maxInboundStreams: 1000 });
  }

  open(peer: PeerId): Promise<Stream> {
    const [connection] = this.libp2p.getConnections(peer);
    if (connection === undefined) throw new Error('The raw peer is not connected');
    return connection.newStream([...this.#protocols], { maxOutboundStreams: 2000 });
  }

  async send(peer: PeerId, message: Partial<BitswapMessage>): Promise<void> {
    const stream = await this.open(peer);
    stream.send(frameOf(message));
    await stream.close();
  }

  want(peer: PeerId, ...entries: Entry[]): Promise<void> {
    return this.send(peer, { wantlist: wantlistOf(entries) });
  }

  block(peer: PeerId, ...blocks: { cid: CID; bytes: Uint8Array }[]): Promise<void> {
    return this.send(peer, { blocks: blocks.map(({ cid, bytes }) => ({ prefix: prefixOf(cid), data: own(bytes) })) });
  }

  presence(peer: PeerId, cid: CID, have: boolean): Promise<void> {
    const type = have ? BlockPresenceType.HaveBlock : BlockPresenceType.DoNotHaveBlock;
    return this.send(peer, { blockPresences: [{ cid: own(cid.bytes), type }] });
  }

  /** Everything received so far. */
  get messages(): readonly BitswapMessage[] {
    return this.#seen;
  }

  get blocks(): Uint8Array[] {
    return this.#seen.flatMap(({ blocks, rawBlocks }) => [...blocks.map(({ data }) => data), ...rawBlocks]);
  }

  get presences(): { cid: Uint8Array; have: boolean }[] {
    return this.#seen.flatMap(({ blockPresences }) =>
      blockPresences.map(({ cid, type }) => ({ cid, have: type === BlockPresenceType.HaveBlock })),
    );
  }

  get wants(): { cid: Uint8Array; cancel: boolean; have: boolean }[] {
    return this.#seen.flatMap(({ wantlist }) =>
      (wantlist?.entries ?? []).map(({ cid, cancel, wantType }) => ({
        cid,
        cancel,
        have: wantType === WantType.WantHave,
      })),
    );
  }

  /** Resolves when what was received so far makes `condition` true. */
  async until(condition: (peer: this) => boolean): Promise<void> {
    while (!condition(this)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  #read(stream: Stream): void {
    const reader = new FrameReader(new LimitedBudget(1e9), 1e8, (frame) => {
      this.#seen.push(BitswapMessage.decode(Uint8Array.from(frame)));
      this.#wake();
    });
    stream.addEventListener('message', ({ data }) => {
      if (data instanceof Uint8Array) reader.push(data);
      else for (const chunk of data) reader.push(chunk);
    });
    stream.close().catch(() => undefined);
  }
}

export async function startRawPeer(protocols: readonly string[] = BITSWAP_PROTOCOLS): Promise<RawPeer> {
  const peer = new RawPeer(await startLibp2p(), protocols);
  await peer.start();
  return peer;
}

export function frameOf(message: Partial<BitswapMessage>): Uint8Array {
  const body = BitswapMessage.encode({ rawBlocks: [], blocks: [], blockPresences: [], pendingBytes: 0, ...message });
  return lengthPrefixed(body);
}

export function lengthPrefixed(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(varintLength(body.length) + body.length);
  frame.set(body, writeVarint(frame, 0, body.length));
  return frame;
}

export function wantlistOf(entries: Entry[], full = false): NonNullable<BitswapMessage['wantlist']> {
  return {
    full,
    entries: entries.map(({ cid, priority = 1, cancel = false, have = false, sendDontHave = true }) => ({
      cid: own(cid instanceof Uint8Array ? cid : cid.bytes),
      priority,
      cancel,
      wantType: have ? WantType.WantHave : WantType.WantBlock,
      sendDontHave,
    })),
  };
}

function prefixOf(cid: CID): Uint8Array<ArrayBuffer> {
  return own(cid.bytes.subarray(0, cid.bytes.length - cid.multihash.digest.length));
}

function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
