import { NODE_BYTES_MAX } from './constants.ts';
import { isKey, KEY_LENGTH, type Key } from './keys.ts';
import { compareNames } from './names.ts';

/**
 * DAG-PB in the one encoding that nodes of the profile have: links first, of each link CID, name and size, shortest
 * varints. Whatever else is refused, so what was read is written again with the same bytes.
 */
export interface Link {
  name: string;
  key: Key;
  /** Bytes of the child's DAG, each occurrence of a block counted. For a raw block its bytes. */
  tsize: number;
}

const DATA_TAG = 0x0a;
const LINKS_TAG = 0x12;
const HASH_TAG = 0x0a;
const NAME_TAG = 0x12;
const TSIZE_TAG = 0x18;
/** A slot's hexadecimal digits before a name. */
const SLOT_BYTES = 2;
const HEX_DIGITS = '0123456789ABCDEF';
/** Longer than this a name is not looked at one character at a time. */
const SHORT_NAME = 48;

export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function innerBytes(nameBytes: number, tsize: number): number {
  return 2 + KEY_LENGTH + 1 + varintBytes(nameBytes) + nameBytes + 1 + varintBytes(tsize);
}

/** What the link adds to its node's block. */
export function linkBytes({ name, tsize }: Pick<Link, 'name' | 'tsize'>, prefixBytes = 0): number {
  const inner = innerBytes(prefixBytes + nameLength(name), tsize);
  return 1 + varintBytes(inner) + inner;
}

/** A block, and where in it each link begins; the last number is where they end. */
export interface Layout {
  bytes: Uint8Array;
  starts: Uint32Array;
}

/** What a block is made of: of a shard with the slot of each link, whose two hexadecimal digits go before its name. */
export interface Parts {
  links: readonly Link[];
  slots?: Uint8Array;
}

/** @param last a node before the change and its block: what both have is copied, which takes a tenth of the time */
export function encodeNode(parts: Parts, data: Uint8Array, last?: Parts & { layout: Layout }): Layout {
  const patched = last && patchNode(parts, last);
  if (patched !== undefined) return patched;
  const { links, slots } = parts;
  const copied = last === undefined ? undefined : commonLinks(parts, last);
  const starts = new Uint32Array(links.length + 1);
  const prefixBytes = slots === undefined ? 0 : SLOT_BYTES;
  let size = 0;
  for (let i = 0; i < links.length; i++) {
    starts[i] = size;
    const from = copied === undefined ? -1 : copied[i]!;
    if (from >= 0) size += last!.layout.starts[from + 1]! - last!.layout.starts[from]!;
    else size += linkBytes(links[i]!, prefixBytes);
  }
  starts[links.length] = size;
  const target = Buffer.allocUnsafeSlow(size + 1 + varintBytes(data.length) + data.length);
  for (let i = 0; i < links.length;) {
    const from = copied === undefined ? -1 : copied[i]!;
    if (from < 0) {
      writeLink(target, starts[i]!, links[i]!, slots?.[i]);
      i += 1;
      continue;
    }
    let count = 1;
    while (copied![i + count] === from + count) count++;
    const { layout } = last!;
    target.set(layout.bytes.subarray(layout.starts[from], layout.starts[from + count]), starts[i]);
    i += count;
  }
  target[size] = DATA_TAG;
  target.set(data, writeVarint(target, size + 1, data.length));
  return { bytes: target, starts };
}

/**
 * The block of a node whose links all take what those in their places took: the usual change, a file that is written
 * again. Undefined for any other.
 */
function patchNode({ links, slots }: Parts, last: Parts & { layout: Layout }): Layout | undefined {
  const { bytes, starts } = last.layout;
  // The same slots also mean the same bit field.
  if (links.length !== last.links.length || slots !== last.slots) return undefined;
  const prefixBytes = slots === undefined ? 0 : SLOT_BYTES;
  const changed: number[] = [];
  for (let i = 0; i < links.length; i++) {
    if (links[i] === last.links[i]) continue;
    if (linkBytes(links[i]!, prefixBytes) !== starts[i + 1]! - starts[i]!) return undefined;
    changed.push(i);
  }
  const target = Buffer.allocUnsafeSlow(bytes.length);
  target.set(bytes);
  for (const i of changed) writeLink(target, starts[i]!, links[i]!, slots?.[i]);
  return { bytes: target, starts };
}

/** For each link its index in the last node, or -1 when it is not there as it is. Both are in the same order. */
function commonLinks({ links, slots }: Parts, last: Parts): Int32Array {
  const indexes = new Int32Array(links.length).fill(-1);
  let j = 0;
  for (let i = 0; i < links.length; i++) {
    while (j < last.links.length && last.links[j] !== links[i]) {
      const order =
        slots === undefined ? compareNames(last.links[j]!.name, links[i]!.name) : last.slots![j]! - slots[i]!;
      if (order >= 0) break;
      j += 1;
    }
    if (last.links[j] === links[i] && (slots === undefined || last.slots![j] === slots[i])) indexes[i] = j++;
  }
  return indexes;
}

function writeLink(target: Buffer, start: number, { key, name, tsize }: Link, slot: number | undefined): void {
  const nameBytes = nameLength(name);
  const allBytes = nameBytes + (slot === undefined ? 0 : SLOT_BYTES);
  let at = start;
  target[at++] = LINKS_TAG;
  at = writeVarint(target, at, innerBytes(allBytes, tsize));
  target[at++] = HASH_TAG;
  target[at++] = KEY_LENGTH;
  for (let i = 0; i < KEY_LENGTH; i++) target[at++] = key.charCodeAt(i);
  target[at++] = NAME_TAG;
  at = writeVarint(target, at, allBytes);
  if (slot !== undefined) {
    target[at++] = HEX_DIGITS.charCodeAt(slot >> 4);
    target[at++] = HEX_DIGITS.charCodeAt(slot & 15);
  }
  at = writeName(target, at, name, nameBytes);
  target[at++] = TSIZE_TAG;
  writeVarint(target, at, tsize);
}

/** Bytes of a name in UTF-8: for short plain ones a call into the engine takes longer than a look. */
function nameLength(name: string): number {
  if (name.length > SHORT_NAME) return Buffer.byteLength(name);
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) return Buffer.byteLength(name);
  return name.length;
}

function writeName(target: Buffer, start: number, name: string, bytes: number): number {
  if (bytes !== name.length || bytes > SHORT_NAME) return start + target.write(name, start);
  for (let i = 0; i < bytes; i++) target[start + i] = name.charCodeAt(i);
  return start + bytes;
}

export function writeVarint(target: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) target[at++] = (rest % 128) | 128;
  target[at++] = rest;
  return at;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws Error with the reason */
export function decodeNode(block: Uint8Array): { links: Link[]; data: Uint8Array } {
  if (block.length > NODE_BYTES_MAX) throw new Error(`it has ${block.length} bytes, more than ${NODE_BYTES_MAX}`);
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  const reader = new WireReader(bytes);
  const links: Link[] = [];
  while (reader.tryTag(LINKS_TAG)) {
    const end = reader.varint() + reader.at;
    reader.tag(HASH_TAG);
    const key = reader.take(reader.varint()).toString('latin1');
    if (!isKey(key)) throw new Error('a link is not CIDv1 with sha2-256 to a raw block or a node');
    reader.tag(NAME_TAG);
    const name = utf8.decode(reader.take(reader.varint()));
    reader.tag(TSIZE_TAG);
    const tsize = reader.varint();
    if (reader.at !== end) throw new Error('a link has another length than it says');
    links.push({ name, key, tsize });
  }
  reader.tag(DATA_TAG);
  const data = reader.take(reader.varint());
  if (reader.at !== bytes.length) throw new Error('something follows its data');
  return { links, data };
}

export class WireReader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at === this.#bytes.length;
  }

  tryTag(tag: number): boolean {
    if (this.#bytes[this.at] !== tag) return false;
    this.at += 1;
    return true;
  }

  tag(tag: number): void {
    if (!this.tryTag(tag)) throw new Error(`the field 0x${tag.toString(16)} is missing or not in its place`);
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw new Error('it is cut off');
      if (byte === 0 && scale > 1) throw new Error('a number is not in its shortest form');
      value += (byte & 127) * scale;
      if (!Number.isSafeInteger(value)) throw new Error('a number is too large');
      if (byte < 128) return value;
    }
  }

  take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.#bytes.length) throw new Error('it is cut off');
    const taken = this.#bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }
}
