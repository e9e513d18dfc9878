import { encode } from '@ipld/dag-cbor';
import type { CID } from 'multiformats/cid';
import { encode as encodeVarint } from 'uint8-varint';

import { dagCborCid } from '../../sdk/protocol/index.ts';
import type { Receipts } from './receipts.ts';

/**
 * A signed account statement with the documents of its receipts as one CARv1 file: the statement is the root and links
 * to the receipts, so whoever has the file can check every one of them. Pruned documents are left out.
 */
export function* accountCar(
  statement: Uint8Array,
  cids: Iterable<CID>,
  receipts: Pick<Receipts, 'get'>,
): Generator<Uint8Array> {
  const root = dagCborCid(statement);
  yield section(encode({ version: 1, roots: [root] }));
  yield section(root.bytes, statement);
  for (const cid of cids) {
    const bytes = receipts.get(cid.toString())?.bytes;
    if (bytes !== undefined) yield section(cid.bytes, bytes);
  }
}

function section(...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([encodeVarint(length), ...parts]);
}
