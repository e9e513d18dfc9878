import type { Key } from './keys.ts';
import { encode, type Encoded, type Node } from './nodes.ts';
import type { SortedLinks } from './sorted-links.ts';

/** What a change of a directory makes: blocks to be stored, and the nodes that they decode to. */
export class NewNodes {
  readonly blocks = new Map<Key, Uint8Array>();
  readonly nodes = new Map<Key, Node>();
  readonly listings = new Map<Key, SortedLinks>();

  add(node: Node): Encoded {
    const encoded = encode(node);
    this.blocks.set(encoded.key, encoded.bytes);
    this.nodes.set(encoded.key, node);
    return encoded;
  }
}
