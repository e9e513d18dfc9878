import { InvalidMessageError } from '../errors.ts';

/** A position in a buffer: the readers below move it. Reused for a whole message, so that decoding allocates nothing. */
export interface Cursor {
  bytes: Uint8Array;
  offset: number;
  end: number;
}

/** Reads an unsigned varint of at most 53 bits. @throws InvalidMessageError */
export function readVarint(cursor: Cursor): number {
  const { bytes, end } = cursor;
  let offset = cursor.offset;
  let value = 0;
  let scale = 1;
  for (let count = 0; count < 10; count++) {
    if (offset >= end) throw new InvalidMessageError('A varint is cut off at the end of its message');
    const byte = bytes[offset++] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      // protobuf writes negative int32 as ten bytes: the value is then useless to us but the message is valid.
      cursor.offset = offset;
      return value;
    }
    scale *= 128;
  }
  throw new InvalidMessageError('A varint is longer than ten bytes');
}

/** Reads a length and checks that so many bytes follow. Returns the offset after them. */
export function readLength(cursor: Cursor): number {
  const length = readVarint(cursor);
  const after = cursor.offset + length;
  if (after > cursor.end) throw new InvalidMessageError(`A field of ${length} bytes does not fit into its message`);
  return after;
}

/** Skips a field that we do not know, as protobuf asks for. */
export function skipField(cursor: Cursor, wireType: number): void {
  switch (wireType) {
    case 0:
      readVarint(cursor);
      return;
    case 1:
      cursor.offset += 8;
      break;
    case 2:
      cursor.offset = readLength(cursor);
      return;
    case 5:
      cursor.offset += 4;
      break;
    default:
      throw new InvalidMessageError(`Protobuf wire type ${wireType} does not exist in this protocol`);
  }
  if (cursor.offset > cursor.end) throw new InvalidMessageError('A field is cut off at the end of its message');
}

export function varintLength(value: number): number {
  let length = 1;
  while (value >= 128) {
    value = Math.floor(value / 128);
    length++;
  }
  return length;
}

/** Writes `value` at `offset` and returns the offset after it. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  while (value >= 128) {
    target[offset++] = (value % 128) | 0x80;
    value = Math.floor(value / 128);
  }
  target[offset++] = value;
  return offset;
}
