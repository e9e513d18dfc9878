import type { Blockstore } from 'interface-blockstore';
import type { CID } from 'multiformats/cid';
import type { FastBlockstore } from '../store/index.ts';

export type LocalBlocks = Pick<FastBlockstore, 'size' | 'read' | 'take'>;

function isFast(store: Blockstore): store is FastBlockstore {
  return 'size' in store && typeof store.size === 'function' && 'read' in store && typeof store.read === 'function';
}

/** What we need of a block store, from any; from a plain one, a size costs a read. */
export function localBlocks(store: Blockstore): LocalBlocks {
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
    take: (cid, bytes) => store.put(cid, bytes),
    size: async (cid) => ((await store.has(cid)) ? (await read(cid))?.length : undefined),
  };
}
