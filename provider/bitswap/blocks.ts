import type { Blockstore } from 'interface-blockstore';
import type { CID } from 'multiformats/cid';
import type { FastBlockstore } from '../store/index.ts';

export type BlockReader = Pick<FastBlockstore, 'size' | 'read'>;

function isFast(store: Blockstore): store is FastBlockstore {
  return 'size' in store && typeof store.size === 'function' && 'read' in store && typeof store.read === 'function';
}

/** Sizes and whole blocks from any block store; from a plain one, a size costs a read. */
export function blockReader(store: Blockstore): BlockReader {
  if (isFast(store)) return store;
  const read = async (cid: CID): Promise<Uint8Array | undefined> => {
    try {
      const parts: Uint8Array[] = [];
      for await (const part of store.get(cid)) parts.push(part);
      return parts.length === 1 ? parts[0] : Buffer.concat(parts);
    } catch (error) {
      if (error instanceof Error && error.name === 'NotFoundError') return undefined;
      throw error;
    }
  };
  return {
    read,
    size: async (cid) => ((await store.has(cid)) ? (await read(cid))?.length : undefined),
  };
}
