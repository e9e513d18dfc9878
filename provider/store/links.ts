import * as dagCbor from '@ipld/dag-cbor';
import * as dagJson from '@ipld/dag-json';
import * as dagPb from '@ipld/dag-pb';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';

/** Codecs whose blocks may have links, and what reads them. */
const NODE_CODECS = new Map<number, (bytes: Uint8Array) => unknown>([
  [dagPb.code, (bytes) => dagPb.decode(bytes).Links.map(({ Hash }) => Hash)],
  [dagCbor.code, dagCbor.decode],
  [dagJson.code, decodeDagJson],
]);

/** Codecs whose blocks have none: raw, CBOR, JSON, keys. */
const LEAF_CODECS: ReadonlySet<number> = new Set([raw.code, 0x51, 0x0200, 0x72]);

/** Far more than a CID has that any store could keep under the name of a file. */
const LINK_LENGTH_MAX = 1024;

/** A link in DAG-JSON, in each spelling of its key, that has more characters than that. */
const LONG_LINK = new RegExp(String.raw`\{\s*"(?:\\?/|\\u002[fF])"\s*:\s*"[^"]{${LINK_LENGTH_MAX}}`);

/** Whether blocks of this CID lead to others: 'unknown' for a codec that we cannot read. */
export function linkKind({ code }: CID): 'node' | 'leaf' | 'unknown' {
  if (NODE_CODECS.has(code)) return 'node';
  return LEAF_CODECS.has(code) ? 'leaf' : 'unknown';
}

/** What a block links to, in its order; nothing when its codec is not known. @throws when it is malformed */
export function linksOf({ code }: CID, bytes: Uint8Array): CID[] {
  const links: CID[] = [];
  collect(NODE_CODECS.get(code)?.(bytes), links);
  return links;
}

/** Without the path of each link, which a long key makes far larger than the block. */
function collect(value: unknown, links: CID[]): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, links);
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    // Also a map with the fields of a CID: whoever wrote the block has chosen its keys.
    for (const item of Object.values(value)) collect(item, links);
  } else {
    const cid = CID.asCID(value);
    if (cid !== null) links.push(cid);
  }
}

/** Reading base58 takes the square of its length: a single link as long as a block would take hours. */
function decodeDagJson(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (LONG_LINK.test(text)) throw new Error(`A link has more than ${LINK_LENGTH_MAX} characters`);
  return dagJson.decode(bytes);
}
