import type { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import type { BlockSource, Database } from '../../store/index.ts';

type Statement = ReturnType<Database['sqlite']['prepare']>;

const ROWS_AT_ONCE = 256;

/**
 * The blocks that commits have brought, for the block store to answer with. They stay: each is in the history of a service.
 * They are many and small, so as rows they take a fraction of what files would, and are durable with their commit.
 */
export class StoredBlocks implements BlockSource {
  readonly #sqlite: Database['sqlite'];
  readonly #size: Statement;
  readonly #bytes: Statement;
  readonly #multihashes: Statement;

  constructor({ sqlite }: Database) {
    this.#sqlite = sqlite;
    this.#size = sqlite.prepare('SELECT length(bytes) AS size FROM blocks WHERE multihash = ?');
    this.#bytes = sqlite.prepare('SELECT bytes FROM blocks WHERE multihash = ?');
    this.#multihashes = sqlite.prepare('SELECT id, multihash FROM blocks WHERE id > ? ORDER BY id LIMIT ?');
  }

  size(cid: CID): number | undefined {
    const size = this.#size.get(cid.multihash.bytes)?.['size'];
    return size === undefined ? undefined : Number(size);
  }

  read(cid: CID): Uint8Array | undefined {
    return this.#bytes.get(cid.multihash.bytes)?.['bytes'] as Uint8Array | undefined;
  }

  *multihashes(): Generator<CID['multihash']> {
    // Whoever goes through millions of them may still do so when the provider stops.
    for (let last = 0; this.#sqlite.isOpen;) {
      const rows = this.#multihashes.all(last, ROWS_AT_ONCE);
      for (const { multihash } of rows) yield Digest.decode(multihash as Uint8Array);
      if (rows.length < ROWS_AT_ONCE) return;
      last = Number(rows.at(-1)!['id']);
    }
  }
}
