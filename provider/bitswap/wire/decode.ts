import { InvalidMessageError } from '../errors.ts';
import { type Cursor, readLength, readVarint, skipField } from './varint.ts';

export interface DecodedWant {
  cid: Uint8Array;
  priority: number;
  cancel: boolean;
  wantHave: boolean;
  sendDontHave: boolean;
}

/**
 * Receives a message piece by piece, so that a message of 4 MiB full of tiny entries never becomes an array of a
 * million objects. Byte arrays are views of the message: copy what must outlive the call.
 */
export interface MessageVisitor {
  /** Comes before the entries of its wantlist. `full` means: forget what this peer wanted before. */
  wantlist(full: boolean): void;
  /** The object is reused for the next entry. */
  want(entry: DecodedWant): void;
  /** `prefix` is undefined for the raw blocks of Bitswap 1.0, whose CID is a CIDv0. */
  block(prefix: Uint8Array | undefined, data: Uint8Array): void;
  presence(cid: Uint8Array, have: boolean): void;
}

/**
 * Decodes the body of one frame. Strict about structure (a field that lies about its length is an error) and lenient
 * about what it does not know, as protobuf is.
 * @throws InvalidMessageError
 */
export function decodeMessage(bytes: Uint8Array, visitor: MessageVisitor): void {
  const cursor: Cursor = { bytes, offset: 0, end: bytes.length };
  while (cursor.offset < cursor.end) {
    const tag = readVarint(cursor);
    switch (tag) {
      case 0x0a: // wantlist
        decodeNested(cursor, visitor, decodeWantlist);
        break;
      case 0x12: {
        // blocks of 1.0
        const after = readLength(cursor);
        visitor.block(undefined, bytes.subarray(cursor.offset, after));
        cursor.offset = after;
        break;
      }
      case 0x1a: // blocks of 1.1 and later
        decodeNested(cursor, visitor, decodeBlock);
        break;
      case 0x22: // block presences
        decodeNested(cursor, visitor, decodePresence);
        break;
      default:
        skipUnknown(cursor, tag);
    }
  }
}

function skipUnknown(cursor: Cursor, tag: number): void {
  if (tag < 8 || tag > 0xffffffff) throw new InvalidMessageError(`Protobuf field tag ${tag} does not exist`);
  skipField(cursor, tag % 8);
}

function decodeNested(cursor: Cursor, visitor: MessageVisitor, decode: (c: Cursor, v: MessageVisitor) => void): void {
  const outerEnd = cursor.end;
  cursor.end = readLength(cursor);
  decode(cursor, visitor);
  cursor.offset = cursor.end;
  cursor.end = outerEnd;
}

function decodeWantlist(cursor: Cursor, visitor: MessageVisitor): void {
  // `full` is usually written after the entries but must be known before them.
  const start = cursor.offset;
  let full = false;
  while (cursor.offset < cursor.end) {
    const tag = readVarint(cursor);
    if (tag === 0x10) full = readVarint(cursor) !== 0;
    else skipUnknown(cursor, tag);
  }
  visitor.wantlist(full);
  cursor.offset = start;
  const want: DecodedWant = { cid: EMPTY, priority: 0, cancel: false, wantHave: false, sendDontHave: false };
  while (cursor.offset < cursor.end) {
    const tag = readVarint(cursor);
    if (tag !== 0x0a) {
      skipField(cursor, tag % 8);
      continue;
    }
    const after = readLength(cursor);
    decodeWant(cursor, after, want);
    cursor.offset = after;
    visitor.want(want);
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);

function decodeWant(cursor: Cursor, end: number, want: DecodedWant): void {
  want.cid = EMPTY;
  want.priority = 0;
  want.cancel = false;
  want.wantHave = false;
  want.sendDontHave = false;
  const outerEnd = cursor.end;
  cursor.end = end;
  while (cursor.offset < end) {
    const tag = readVarint(cursor);
    switch (tag) {
      case 0x0a: {
        const after = readLength(cursor);
        want.cid = cursor.bytes.subarray(cursor.offset, after);
        cursor.offset = after;
        break;
      }
      case 0x10:
        // A negative int32 has ten bytes and decodes far above 2^31: it is the lowest priority.
        want.priority = readVarint(cursor);
        if (want.priority > 0x7fffffff) want.priority = 0;
        break;
      case 0x18:
        want.cancel = readVarint(cursor) !== 0;
        break;
      case 0x20:
        want.wantHave = readVarint(cursor) === 1;
        break;
      case 0x28:
        want.sendDontHave = readVarint(cursor) !== 0;
        break;
      default:
        skipUnknown(cursor, tag);
    }
  }
  cursor.end = outerEnd;
}

function decodeBlock(cursor: Cursor, visitor: MessageVisitor): void {
  let prefix = EMPTY;
  let data = EMPTY;
  while (cursor.offset < cursor.end) {
    const tag = readVarint(cursor);
    if (tag === 0x0a || tag === 0x12) {
      const after = readLength(cursor);
      const value = cursor.bytes.subarray(cursor.offset, after);
      if (tag === 0x0a) prefix = value;
      else data = value;
      cursor.offset = after;
    } else {
      skipUnknown(cursor, tag);
    }
  }
  visitor.block(prefix, data);
}

function decodePresence(cursor: Cursor, visitor: MessageVisitor): void {
  let cid = EMPTY;
  let have = true;
  while (cursor.offset < cursor.end) {
    const tag = readVarint(cursor);
    if (tag === 0x0a) {
      const after = readLength(cursor);
      cid = cursor.bytes.subarray(cursor.offset, after);
      cursor.offset = after;
    } else if (tag === 0x10) {
      have = readVarint(cursor) === 0;
    } else {
      skipUnknown(cursor, tag);
    }
  }
  visitor.presence(cid, have);
}
