import type { Key } from './keys.ts';
import { encode, type Encoded, type Node } from './nodes.ts';
import type { SortedLinks } from './sorted-links.ts';

/** What a change of a directory makes: blocks to be stored, and the nodes that they decode to. */
export class NewNodes {
  readonly blocks = new Map<Key, Uint8Array>();
  readonly nodes = new Map<Key, Node>();
  readonly listings = new Map<Key, SortedLinks>();
  /** Nodes that others took the place of: of use only to whoever reads an older root. */
  readonly replaced: Key[] = [];

  /** @param last the node that this one was made from by a change */
  add(node: Node, last?: Node): Encoded {
    const encoded = encode(node, last);
    this.blocks.set(encoded.key, encoded.bytes);
    this.nodes.set(encoded.key, node);
    return encoded;
  }
}
