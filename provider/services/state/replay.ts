import type { CID } from 'multiformats/cid';
import type { StateChanges, StateView } from '../../sandbox/index.ts';
import { ChangedDirectory, cidOfKey, keyOfCid, type GetBlock, type Key } from '../../store/index.ts';
import { StateBlocks } from './blocks.ts';
import { applyGroup, foldChanges } from './group.ts';
import { STATE_LIMITS } from './limits.ts';
import { TreeView } from './view.ts';

/**
 * A state at one root for whoever runs updates again: only the blocks that the updates touch are fetched, and nothing is
 * kept. All changes together make one root, as in a commit.
 */
export class Replay {
  readonly #blocks: StateBlocks;
  readonly #root: Key;
  #changes: ChangedDirectory | undefined;

  constructor(root: CID, getBlock: GetBlock) {
    this.#blocks = new StateBlocks({ blockstore: { read: () => undefined }, getBlock, limits: STATE_LIMITS });
    this.#root = keyOfCid(root);
  }

  /** What the next update sees. */
  view(): StateView {
    return new TreeView(this.#blocks, this.#root, { changes: this.#changes });
  }

  add(changes: StateChanges): void {
    this.#changes ??= new ChangedDirectory();
    foldChanges(this.#changes, changes);
  }

  /** The root with all changes. @throws DirectoryError; why a block cannot be had */
  async root(): Promise<CID> {
    if (this.#changes === undefined) return cidOfKey(this.#root);
    return cidOfKey((await applyGroup(this.#blocks, this.#root, this.#changes)).root);
  }
}
