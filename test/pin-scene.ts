import { randomBytes } from 'node:crypto';
import { importer } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import type { CID } from 'multiformats/cid';
import { vi } from 'vitest';
import type { Provider } from '../provider/provider.ts';
import type { Pin } from '../provider/pinning/index.ts';
import { MemoryBlocks } from '../provider/store/blockstore-memory.ts';

export interface Dag {
  root: CID;
  blocks: { cid: CID; bytes: Uint8Array }[];
  bytes: number;
}

/** A file of random bytes, as `ipfs add` makes it. */
export async function makeFile(size: number, chunkSize = 16 * 1024): Promise<Dag> {
  const blocks: Dag['blocks'] = [];
  const store = new MemoryBlocks();
  const put = store.put.bind(store);
  store.put = (cid, bytes) => {
    blocks.push({ cid, bytes: bytes as Uint8Array });
    return put(cid, bytes);
  };
  let root: CID | undefined;
  const content = randomBytes(size);
  for await (const { cid } of importer([{ content }], store, {
    cidVersion: 1,
    rawLeaves: true,
    chunker: fixedSize({ chunkSize }),
  })) {
    root = cid;
  }
  return { root: root!, blocks, bytes: blocks.reduce((sum, { bytes }) => sum + bytes.length, 0) };
}

type Store = { put(cid: CID, bytes: Uint8Array): unknown };

export async function putAll(store: Store, blocks: Dag['blocks']): Promise<void> {
  for (const { cid, bytes } of blocks) await store.put(cid, bytes);
}

/** Waits for the pin to be as wanted. */
export async function pinWhen(
  { pinning }: Pick<Provider, 'pinning'>,
  { owner, id }: Pick<Pin, 'owner' | 'id'>,
  isSo: (pin: Pin) => boolean,
): Promise<Pin> {
  return vi.waitFor(
    () => {
      const pin = pinning.get(owner, id);
      if (!isSo(pin)) throw new Error(`The pin is ${JSON.stringify({ ...pin, root: undefined })}`);
      return pin;
    },
    { timeout: 60_000, interval: 20 },
  );
}
