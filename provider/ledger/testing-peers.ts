import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';

const keys = new Map<number, Ed25519PrivateKey>();

/** The same number gives the same peer. */
export async function testKey(number: number): Promise<Ed25519PrivateKey> {
  let key = keys.get(number);
  if (key === undefined) {
    const seed = new Uint8Array(32);
    new DataView(seed.buffer).setUint32(0, number);
    key = await generateKeyPairFromSeed('Ed25519', seed);
    keys.set(number, key);
  }
  return key;
}

export async function testPeer(number: number): Promise<PeerId> {
  return peerIdFromPrivateKey(await testKey(number));
}

export async function testPeers(count: number): Promise<PeerId[]> {
  return Promise.all(Array.from({ length: count }, (_, number) => testPeer(number)));
}
