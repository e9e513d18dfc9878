import { JobEnd } from '../errors.ts';
import { ABI_LIMITS } from './limits.ts';

export interface ResponseHead {
  status: number;
  headers: Record<string, string>;
}

const MAJOR_UINT = 0;
const MAJOR_TEXT = 3;
const MAJOR_MAP = 5;

/**
 * Decodes a response head: the DAG-CBOR map `{status, headers}` and nothing else. It is a decoder of its own, and not
 * @ipld/dag-cbor, because it runs for every job, must give the same verdict in every provider whatever the library's
 * version, and knows the only shape that is allowed. Strict as DAG-CBOR is: shortest integers, definite lengths, keys
 * sorted by length and then by bytes (hence `status` before `headers`), none twice.
 */
export function decodeHead(bytes: Uint8Array): ResponseHead {
  if (bytes.length > ABI_LIMITS.headBytesMax) {
    throw invalid(`it has ${bytes.length} bytes; at most ${ABI_LIMITS.headBytesMax} are allowed`);
  }
  const reader = new Reader(bytes);
  if (reader.head(MAJOR_MAP) !== 2) throw invalid('it must have the two keys status and headers');
  if (reader.text() !== 'status') throw invalid('its first key must be status');
  const status = reader.head(MAJOR_UINT);
  if (status < 100 || status > 599) throw invalid(`status ${status} is not between 100 and 599`);
  if (reader.text() !== 'headers') throw invalid('its second key must be headers');
  const count = reader.head(MAJOR_MAP);
  if (count > ABI_LIMITS.headersMax)
    throw invalid(`it has ${count} headers; at most ${ABI_LIMITS.headersMax} are allowed`);
  const headers: Record<string, string> = {};
  let keyBefore: Uint8Array | undefined;
  for (let i = 0; i < count; i++) {
    const key = reader.textBytes();
    if (keyBefore !== undefined && compareKeys(keyBefore, key) >= 0) {
      throw invalid('header names must be sorted and may not repeat');
    }
    keyBefore = key;
    setHeader(headers, decodeText(key), reader.text());
  }
  if (reader.left > 0) throw invalid(`${reader.left} bytes follow it; write the body in a second call`);
  return { status, headers };
}

function invalid(reason: string): JobEnd {
  return new JobEnd('INVALID_OUTPUT', `The first output_write must be the response head: ${reason}.`);
}

function setHeader(headers: Record<string, string>, name: string, value: string): void {
  if (name === '__proto__')
    Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
  else headers[name] = value;
}

function compareKeys(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const SHORT_BYTES = 64;

/** TextDecoder takes a microsecond to start; most texts here are short and plain ASCII. */
function decodeText(bytes: Uint8Array): string {
  if (bytes.length <= SHORT_BYTES) {
    let text = '';
    let plain = true;
    for (const byte of bytes) {
      plain &&= byte < 0x80;
      text += String.fromCharCode(byte);
    }
    if (plain) return text;
  }
  try {
    return strictText.decode(bytes);
  } catch {
    throw invalid('a text is not UTF-8');
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  /** The argument of an item of this major type: its value, length or count. */
  head(major: number): number {
    const first = this.#byte();
    if (first >> 5 !== major) throw invalid(`byte ${this.#offset - 1} has another type than expected`);
    const short = first & 31;
    if (short < 24) return short;
    // 32 bits are more than any value here may have.
    if (short > 26) throw invalid(`byte ${this.#offset - 1} starts a number that is too large`);
    const size = 1 << (short - 24);
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.#byte();
    const smallest = size === 1 ? 24 : 2 ** (4 * size);
    if (value < smallest) throw invalid(`the number before byte ${this.#offset} is not in its shortest form`);
    return value;
  }

  textBytes(): Uint8Array {
    const length = this.head(MAJOR_TEXT);
    if (length > this.left) throw invalid('it ends inside a text');
    const start = this.#offset;
    this.#offset += length;
    return this.#bytes.subarray(start, this.#offset);
  }

  text(): string {
    return decodeText(this.textBytes());
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw invalid('it ends too early');
    this.#offset += 1;
    return byte;
  }
}
