import { Uint8ArrayList } from 'uint8arraylist';
import { varintLength, writeVarint } from './varint.ts';

export interface WantToSend {
  cid: Uint8Array;
  priority: number;
  cancel: boolean;
  wantHave: boolean;
  sendDontHave: boolean;
}

export interface BlockToSend {
  /** Undefined in Bitswap 1.0. */
  prefix: Uint8Array | undefined;
  data: Uint8Array;
}

export interface PresenceToSend {
  cid: Uint8Array;
  have: boolean;
}

export interface MessageToSend {
  full?: boolean;
  wants?: readonly WantToSend[];
  blocks?: readonly BlockToSend[];
  presences?: readonly PresenceToSend[];
}

/** Blocks from this size on are passed to the stream as they are: below, one copy is cheaper than one more list entry. */
const COPY_BYTES_MAX = 16 * 1024;

/** Field tag, length and bytes. */
function bytesFieldLength(length: number): number {
  return 1 + varintLength(length) + length;
}

function wantLength(want: WantToSend): number {
  return (
    bytesFieldLength(want.cid.length) +
    1 +
    varintLength(want.priority) +
    (want.cancel ? 2 : 0) +
    (want.wantHave ? 2 : 0) +
    (want.sendDontHave ? 2 : 0)
  );
}

function blockLength(block: BlockToSend): number {
  return bytesFieldLength((block.prefix as Uint8Array).length) + bytesFieldLength(block.data.length);
}

/** Bytes that an entry adds to a message: what splitting by size needs. */
export function wantSize(want: WantToSend): number {
  return bytesFieldLength(wantLength(want));
}

/** Encodes a message as one frame: varint length, then the protobuf. Large blocks are not copied. */
export function encodeFrame(message: MessageToSend): Uint8Array | Uint8ArrayList {
  const wants = message.wants ?? [];
  const blocks = message.blocks ?? [];
  const presences = message.presences ?? [];

  let wantlistLength = message.full === true ? 2 : 0;
  for (const want of wants) wantlistLength += wantSize(want);
  const hasWantlist = wants.length > 0 || message.full === true;
  let length = hasWantlist ? bytesFieldLength(wantlistLength) : 0;
  let copied = length;
  for (const block of blocks) {
    const size = bytesFieldLength(block.prefix === undefined ? block.data.length : blockLength(block));
    length += size;
    copied += block.data.length > COPY_BYTES_MAX ? size - block.data.length : size;
  }
  for (const { cid, have } of presences) {
    const size = bytesFieldLength(bytesFieldLength(cid.length) + (have ? 0 : 2));
    length += size;
    copied += size;
  }

  const target = Buffer.allocUnsafe(varintLength(length) + copied);
  const parts = copied === length ? undefined : new Uint8ArrayList();
  let partStart = 0;
  let offset = writeVarint(target, 0, length);

  if (hasWantlist) {
    target[offset++] = 0x0a;
    offset = writeVarint(target, offset, wantlistLength);
    for (const want of wants) offset = writeWant(target, offset, want);
    if (message.full === true) {
      target[offset++] = 0x10;
      target[offset++] = 1;
    }
  }
  for (const { prefix, data } of blocks) {
    if (prefix === undefined) {
      target[offset++] = 0x12;
    } else {
      target[offset++] = 0x1a;
      offset = writeVarint(target, offset, blockLength({ prefix, data }));
      offset = writeBytes(target, offset, 0x0a, prefix);
      target[offset++] = 0x12;
    }
    offset = writeVarint(target, offset, data.length);
    if (data.length > COPY_BYTES_MAX && parts !== undefined) {
      parts.append(target.subarray(partStart, offset));
      parts.append(data);
      partStart = offset;
    } else {
      target.set(data, offset);
      offset += data.length;
    }
  }
  for (const { cid, have } of presences) {
    target[offset++] = 0x22;
    offset = writeVarint(target, offset, bytesFieldLength(cid.length) + (have ? 0 : 2));
    offset = writeBytes(target, offset, 0x0a, cid);
    if (!have) {
      target[offset++] = 0x10;
      target[offset++] = 1;
    }
  }
  if (parts === undefined) return target;
  if (partStart < offset) parts.append(target.subarray(partStart, offset));
  return parts;
}

function writeBytes(target: Uint8Array, offset: number, tag: number, bytes: Uint8Array): number {
  target[offset++] = tag;
  offset = writeVarint(target, offset, bytes.length);
  target.set(bytes, offset);
  return offset + bytes.length;
}

function writeWant(target: Uint8Array, offset: number, want: WantToSend): number {
  target[offset++] = 0x0a;
  offset = writeVarint(target, offset, wantLength(want));
  offset = writeBytes(target, offset, 0x0a, want.cid);
  target[offset++] = 0x10;
  offset = writeVarint(target, offset, want.priority);
  if (want.cancel) {
    target[offset++] = 0x18;
    target[offset++] = 1;
  }
  if (want.wantHave) {
    target[offset++] = 0x20;
    target[offset++] = 1;
  }
  if (want.sendDontHave) {
    target[offset++] = 0x28;
    target[offset++] = 1;
  }
  return offset;
}
