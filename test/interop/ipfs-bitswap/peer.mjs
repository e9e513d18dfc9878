// ipfs-bitswap as a peer that takes commands as lines of JSON, like ../boxo-peer. Its arguments are the Bitswap
// protocols that it may speak; without any it speaks all that it knows.
import { createCipheriv, createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { identify } from '@libp2p/identify';
import { tcp } from '@libp2p/tcp';
import { MemoryBlockstore } from 'blockstore-core';
import { createBitswap } from 'ipfs-bitswap';
import { exporter } from 'ipfs-unixfs-exporter';
import { importer } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { balanced } from 'ipfs-unixfs-importer/layout';
import { createLibp2p } from 'libp2p';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';

const allowed = process.argv.slice(2);
const spoken = new Set();
const received = tally();
const sent = tally();
const aborts = new Map();

const libp2p = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncryption: [noise()],
  streamMuxers: [yamux()],
  services: { identify: identify() },
  // Every test connects anew, sooner than the five times a second that a host is allowed.
  connectionManager: { inboundConnectionThreshold: Infinity },
});
narrow(libp2p);
const blockstore = new MemoryBlockstore();
const bitswap = createBitswap(libp2p, blockstore);
tap(bitswap);
await bitswap.start();

const commands = {
  disconnect: async ({ peer }) => {
    for (const { remotePeer } of libp2p.getConnections()) {
      if (remotePeer.toString() === peer) await libp2p.hangUp(remotePeer);
    }
  },
  put: ({ cid, data }) => bitswap.put(CID.parse(cid), Buffer.from(data, 'base64')),
  make: async ({ set }) => {
    for (const { cid, bytes } of makeBlocks(set)) await bitswap.put(cid, bytes);
  },
  get: async ({ id, cid }) => {
    const abort = new AbortController();
    aborts.set(id, abort);
    try {
      return Buffer.from(await bitswap.want(CID.parse(cid), { signal: abort.signal })).toString('base64');
    } finally {
      aborts.delete(id);
    }
  },
  abort: ({ of }) => aborts.get(of)?.abort(),
  fetch: async ({ set }) => {
    const start = performance.now();
    const wanted = makeBlocks(set);
    const fetched = await Promise.all(wanted.map(({ cid }) => bitswap.want(cid)));
    for (const [index, { cid, bytes }] of wanted.entries()) {
      if (Buffer.compare(fetched[index], bytes) !== 0) throw new Error(`other bytes came for ${cid}`);
    }
    return { bytes: fetched.reduce((sum, { length }) => sum + length, 0), ms: performance.now() - start };
  },
  addFile: async ({ file: { seed, size, chunk, version } }) => {
    const options = {
      cidVersion: version,
      rawLeaves: version === 1,
      chunker: fixedSize({ chunkSize: chunk }),
      layout: balanced({ maxChildrenPerNode: 174 }),
    };
    let root;
    for await (const { cid } of importer([{ content: keyStream(seed, 0, size) }], blockstore, options)) root = cid;
    return root.toString();
  },
  fetchFile: async ({ cid }) => {
    const start = performance.now();
    const hash = createHash('sha256');
    let bytes = 0;
    const entry = await exporter(CID.parse(cid), { get: (wanted, options) => bitswap.want(wanted, options) });
    for await (const part of entry.content()) {
      bytes += part.length;
      hash.update(part);
    }
    return { bytes, ms: performance.now() - start, sha256: hash.digest('base64') };
  },
  // It looks peers up by their name, so a string will do.
  receipt: ({ peer }) => {
    const { sent: out, recv, value, exchanged } = bitswap.ledgerForPeer(peer) ?? noLedger();
    return { sent: out, recv, value, exchanged };
  },
  wantlist: ({ peer }) => [...bitswap.wantlistForPeer(peer).values()].map(({ cid }) => cid.toString()),
  seen: () => ({ received, sent, protocols: [...spoken].sort() }),
};

say({ peerId: libp2p.peerId.toString(), addrs: libp2p.getMultiaddrs().map(String) });
const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const { id, name, ...rest } = JSON.parse(line);
  try {
    say({ id, value: await commands[name]({ id, ...rest }) });
  } catch (error) {
    say({ id, error: String(error) });
  }
});
lines.on('close', async () => {
  await bitswap.stop();
  await libp2p.stop();
  process.exit();
});

function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/** ipfs-bitswap has no option for its protocols, so the node it is given knows only the allowed ones. */
function narrow(node) {
  const handle = node.handle.bind(node);
  const dialProtocol = node.dialProtocol.bind(node);
  const only = (protocols) => protocols.filter((name) => allowed.length === 0 || allowed.includes(name));
  node.handle = (protocols, handler, options) =>
    handle(
      only(protocols),
      (incoming) => {
        spoken.add(incoming.stream.protocol);
        handler(incoming);
      },
      options,
    );
  node.dialProtocol = async (peer, protocols, options) => {
    const stream = await dialProtocol(peer, only(protocols), options);
    spoken.add(stream.protocol);
    return stream;
  };
}

/** Counts what every message says on its way in or out. */
function tap(target) {
  const receive = target._receiveMessage.bind(target);
  const send = target.network.sendMessage.bind(target.network);
  target._receiveMessage = (peer, message) => {
    count(received, message);
    return receive(peer, message);
  };
  target.network.sendMessage = (peer, message, options) => {
    count(sent, message);
    return send(peer, message, options);
  };
}

function tally() {
  return { wantBlocks: 0, wantHaves: 0, cancels: 0, haves: 0, dontHaves: 0, blocks: 0, bytes: 0 };
}

function count(sums, message) {
  for (const { cancel, wantType } of message.wantlist.values()) {
    if (cancel) sums.cancels++;
    else if (wantType === message.constructor.WantType.Have) sums.wantHaves++;
    else sums.wantBlocks++;
  }
  for (const type of message.blockPresences.values()) {
    if (type === message.constructor.BlockPresenceType.Have) sums.haves++;
    else sums.dontHaves++;
  }
  for (const { length } of message.blocks.values()) {
    sums.blocks++;
    sums.bytes += length;
  }
}

/** It has no ledger for a peer that never sent it a message. */
function noLedger() {
  return { sent: 0, recv: 0, value: 0, exchanged: 0 };
}

/** The same bytes as `keyStream` in ../content.ts. */
function keyStream(seed, number, length) {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  const iv = Buffer.alloc(16);
  iv.writeUInt32BE(number);
  return createCipheriv('aes-128-ctr', key, iv).update(Buffer.alloc(length));
}

/** The same blocks as `makeBlocks` in ../content.ts. */
function makeBlocks({ seed, count: blocks, size, version, codec }) {
  return Array.from({ length: blocks }, (_, number) => {
    const bytes = keyStream(seed, number, size);
    const digest = Digest.create(0x12, createHash('sha256').update(bytes).digest());
    return { cid: version === 0 ? CID.createV0(digest) : CID.createV1(codec, digest), bytes };
  });
}
