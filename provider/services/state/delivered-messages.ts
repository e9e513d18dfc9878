import type { CID } from 'multiformats/cid';
import { cidOfKey, keyOfCid, type Database } from '../../store/index.ts';

/** Which messages came to services, for as long as they could come again. */
export class DeliveredMessages {
  readonly #select: ReturnType<Database['sqlite']['prepare']>;

  constructor({ sqlite }: Database) {
    this.#select = sqlite.prepare('SELECT commit_cid FROM delivered WHERE state = ? AND message = ?');
  }

  get(state: number, message: CID): { commit: CID | undefined } | undefined {
    const row = this.#select.get(state, Buffer.from(keyOfCid(message), 'latin1'));
    if (row === undefined) return undefined;
    const commit = row['commit_cid'] as Uint8Array | null;
    return { commit: commit === null ? undefined : cidOfKey(Buffer.from(commit).toString('latin1')) };
  }
}
