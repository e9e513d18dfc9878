import { encode } from '@ipld/dag-cbor';
import type { CID } from 'multiformats/cid';
import { encode as encodeVarint } from 'uint8-varint';

import { dagCborCid } from '../../sdk/protocol/index.ts';

/**
 * Signed account statements with the documents of receipts as one CARv1 file: the statements are the roots and link to
 * the receipts, so whoever has the file can check every one of them (`checkCar`).
 */
export function* statementsCar(
  statements: readonly Uint8Array[],
  receipts: Iterable<{ cid: CID; bytes: Uint8Array }>,
): Generator<Uint8Array> {
  const roots = statements.map(dagCborCid);
  yield section(encode({ version: 1, roots }));
  for (const [i, root] of roots.entries()) yield section(root.bytes, statements[i]!);
  for (const { cid, bytes } of receipts) yield section(cid.bytes, bytes);
}

function section(...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([encodeVarint(length), ...parts]);
}
