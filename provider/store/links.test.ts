import * as dagCbor from '@ipld/dag-cbor';
import * as dagJson from '@ipld/dag-json';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import * as Digest from 'multiformats/hashes/digest';
import { expect, test } from 'vitest';
import { rawCid } from '../../sdk/protocol/index.ts';
import { linkKind, linksOf } from './links.ts';

const cidFor = (code: number): CID => CID.createV1(code, Digest.create(0x12, Buffer.alloc(32, 1)));
const JSON_CID = cidFor(dagJson.code);
const CBOR_CID = cidFor(dagCbor.code);
const links = (cid: CID, bytes: Uint8Array): string[] => linksOf(cid, bytes).map(String);

const leaf = fc.oneof(
  fc.nat().map((n) => rawCid(Buffer.from(String(n)))),
  fc.uint8Array({ maxLength: 4 }),
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== '/'),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
}));

function cidsIn(node: unknown): string[] {
  if (node instanceof CID) return [node.toString()];
  if (node === null || typeof node !== 'object' || node instanceof Uint8Array) return [];
  return Object.values(node).flatMap(cidsIn);
}

test('every link of a DAG-CBOR and a DAG-JSON block is found, however deep, and nothing else', () => {
  fc.assert(
    fc.property(value, (node) => {
      expect(links(CBOR_CID, dagCbor.encode(node)).toSorted()).toEqual(cidsIn(node).toSorted());
      expect(links(JSON_CID, dagJson.encode(node)).toSorted()).toEqual(cidsIn(node).toSorted());
    }),
  );
});

test('blocks of JSON, CBOR, keys and raw bytes have no links, whatever is in them', () => {
  const bytes = dagJson.encode({ link: rawCid(Buffer.from('a')) });
  for (const code of [raw.code, 0x51, 0x0200, 0x72]) {
    expect(linkKind(cidFor(code))).toBe('leaf');
    expect(links(cidFor(code), bytes)).toEqual([]);
  }
  expect(linkKind(JSON_CID)).toBe('node');
  expect(linkKind(cidFor(0x85))).toBe('unknown');
});

test('a map with the fields of a CID is a map: its author cannot make a link of it that is none', () => {
  const inner = rawCid(Buffer.from('inner'));
  const node = { '/': 'same', bytes: 'same', version: 1, code: 0x71, multihash: { bytes: 5, link: inner } };
  expect(links(CBOR_CID, dagCbor.encode(new Map(Object.entries(node))))).toEqual([inner.toString()]);
  // In DAG-JSON that key alone is a link; with others beside it the block is malformed.
  expect(() => links(JSON_CID, Buffer.from(JSON.stringify(node)))).toThrow('Invalid encoded CID');
});

test('a link as long as a block is refused in every spelling before it is read, and a long string is none', () => {
  const long = `z${'2'.repeat(2_000_000)}`;
  for (const key of ['/', String.raw`\/`, String.raw`\u002f`, String.raw`\u002F`]) {
    expect(() => links(JSON_CID, Buffer.from(`[1,{ "${key}"\n:\t"${long}"}]`))).toThrow('A link has more than');
  }
  expect(links(JSON_CID, Buffer.from(JSON.stringify({ text: long, at: { '//': long } })))).toEqual([]);
});

test('a block that is nothing but brackets, or a long key above many links, takes no more than it holds', () => {
  for (const cid of [CBOR_CID, JSON_CID]) {
    const brackets = cid === CBOR_CID ? Buffer.alloc(2_000_000, 0x81) : Buffer.alloc(2_000_000, '[');
    expect(() => links(cid, brackets)).toThrow(RangeError);
  }
  // As paths they would be 25 GB.
  const many = Array.from({ length: 25_000 }, (_, i) => rawCid(Buffer.from(String(i))));
  const node = { ['k'.repeat(1_000_000)]: many };
  expect(links(CBOR_CID, dagCbor.encode(node))).toHaveLength(many.length);
});
