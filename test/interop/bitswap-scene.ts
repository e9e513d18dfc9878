import { peerIdFromString } from '@libp2p/peer-id';
import type { PeerId } from '@libp2p/interface';
import { CID } from 'multiformats/cid';
import { parseConfig } from '../../provider/config.ts';
import { createPeer, type Peer } from '../../provider/peer.ts';
import { openUnixFsFile } from '../../provider/store/unixfs-file.ts';
import { sha256Base64 } from './content.ts';

const node = { connectionsMax: 400, connectionRatePerHostMax: 400, streamsPerConnectionMax: 1024 };

export interface OurPeer extends Peer {
  id: string;
  addr: string;
}

/** Enough for any test and any bench, for whoever comes. */
const GENEROUS = { newcomerLineBytes: 2 ** 43, limitBytesMax: 2 ** 44, strangerPoolBytes: 2 ** 44 };

/** A whole peer of ours, with the real ledger: in memory, or in a directory. */
export async function startOurs(dataDir?: string): Promise<OurPeer> {
  const directory = dataDir === undefined ? {} : { dataDir };
  const peer = await createPeer({
    credit: GENEROUS,
    node: { listen: ['/ip4/127.0.0.1/tcp/0'], ...node },
    routing: parseConfig({}, 'startOurs').routing,
    ...directory,
  });
  await peer.start();
  const addr = peer.libp2p.getMultiaddrs()[0]?.toString() as string;
  return { ...peer, id: peer.libp2p.peerId.toString(), addr };
}

/** Fetches a file from one peer and returns the base64 SHA-256 of its content. */
export async function fetchFile(ours: Peer, root: string, from: PeerId): Promise<string> {
  const session = ours.bitswap.createSession({ peers: [from] });
  const signal = AbortSignal.timeout(100_000);
  const file = await openUnixFsFile(CID.parse(root), (cid) => session.get(cid, { signal }));
  return sha256Base64(await file.read(0, file.size));
}

/** What our ledger says of the blocks exchanged with a peer. */
export function blocksWith(ours: Peer, peer: string): { sent: number; recv: number } {
  const { blocksSent, blocksRecv } = ours.scoreLedger.getAccount(peerIdFromString(peer));
  return { sent: Number(blocksSent), recv: Number(blocksRecv) };
}

/** Resolves when `condition` holds: for what another process or a settlement does in its own time. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 5);
    await promise;
  }
}
