import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import { peerIdFromString } from '@libp2p/peer-id';
import { startOurs } from '../../test/interop/bitswap-scene.ts';
import { makeBlocks } from '../../test/interop/content.ts';
import { freshSet, startPeer } from './pairs.ts';

const ONE_WAY_MS = 25;
const FETCHES = 7;

/** Hands everything on, each piece 25 ms later. */
async function slowWire(port: number): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => void setTimeout(() => to.write(bytes), ONE_WAY_MS));
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
    }
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Round trips until a block is here, over a connection that is open: right after it was opened, and later. */
export async function firstBlockRoundTrips(): Promise<{ first: number; later: number[] }> {
  const server = await startPeer('ours');
  const ours = await startOurs();
  const address = multiaddr(server.addr);
  const port = Number(address.getComponents().find(({ name }) => name === 'tcp')?.value);
  const wire = await slowWire(port);
  try {
    const set = freshSet(FETCHES + 1, 10_000);
    await server.make(set);
    await ours.libp2p.dial(multiaddr(`/ip4/127.0.0.1/tcp/${wire.port}/p2p/${server.peerId}`));
    const trips: number[] = [];
    for (const { cid } of makeBlocks(set)) {
      const started = performance.now();
      await ours.bitswap.createSession({ peers: [peerIdFromString(server.peerId)] }).get(cid);
      trips.push((performance.now() - started) / (2 * ONE_WAY_MS));
    }
    return { first: trips[0] as number, later: trips.slice(1) };
  } finally {
    await ours.stop();
    await server.stop();
    wire.close();
  }
}
