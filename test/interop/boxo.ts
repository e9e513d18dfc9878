import { BlockPeer } from './block-peer.ts';
import { buildGo } from './go-program.ts';

/** boxo's Bitswap (`boxo-peer/`), built when it has changed. */
export async function startBoxo(): Promise<BlockPeer> {
  return BlockPeer.start(await buildGo('boxo-peer', '.'));
}
