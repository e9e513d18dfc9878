import { verifyDirectory, type Key } from '../../store/index.ts';
import type { StateBlocks } from './blocks.ts';
import type { StateLimits } from './limits.ts';

/**
 * Fetches all blocks of a state that a stranger may have made and checks that it is what its files make, so that every
 * update on it leads to the root that others compute.
 *
 * @param keep gets every block, each once
 * @throws DirectoryError; why a block cannot be had
 */
export function verifyState(
  root: Key,
  blocks: StateBlocks,
  { importNodesMax, importBytesMax }: StateLimits,
  signal: AbortSignal | undefined,
  keep: (key: Key, bytes: Uint8Array) => unknown = () => {},
): Promise<void> {
  const fetch = async (key: Key): Promise<Uint8Array> => {
    signal?.throwIfAborted();
    const bytes = await blocks.loadBytes(key, signal);
    await keep(key, bytes);
    return bytes;
  };
  return verifyDirectory(root, fetch, { nodesMax: importNodesMax, bytesMax: importBytesMax });
}
