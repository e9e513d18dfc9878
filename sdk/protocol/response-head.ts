import { CborReader, decodeText, key } from './cbor.ts';

/** What an output starts with, before the body. */
export interface ResponseHead {
  status: number;
  headers: Record<string, string>;
}

export const RESPONSE_HEAD_BYTES_MAX = 64 * 1024;
export const RESPONSE_HEADERS_MAX = 256;

const STATUS = key('status');
const HEADERS = key('headers');

/**
 * Decodes a response head: the DAG-CBOR map `{status, headers}` and nothing else, strict as DAG-CBOR is. The general
 * codec would be slower, and its verdict could change with its version: but every provider must give the same one, since
 * a head that is refused ends the job, and the receipt says so.
 *
 * @throws Error that says what is wrong with the head
 */
export function decodeResponseHead(bytes: Uint8Array): ResponseHead {
  if (bytes.length > RESPONSE_HEAD_BYTES_MAX) {
    throw new Error(`it has ${bytes.length} bytes; at most ${RESPONSE_HEAD_BYTES_MAX} are allowed`);
  }
  const reader = new CborReader(bytes);
  reader.map(2);
  reader.key(STATUS);
  const status = reader.uint();
  if (status < 100 || status > 599) throw new Error(`status ${status} is not between 100 and 599`);
  reader.key(HEADERS);
  const count = reader.mapSize();
  if (count > RESPONSE_HEADERS_MAX) {
    throw new Error(`it has ${count} headers; at most ${RESPONSE_HEADERS_MAX} are allowed`);
  }
  const headers: Record<string, string> = {};
  let keyBefore: Uint8Array | undefined;
  for (let i = 0; i < count; i++) {
    const name = reader.textBytes();
    if (keyBefore !== undefined && compareKeys(keyBefore, name) >= 0) {
      throw new Error('header names must be sorted and may not repeat');
    }
    keyBefore = name;
    setHeader(headers, decodeText(name), reader.text());
  }
  reader.end();
  return { status, headers };
}

function setHeader(headers: Record<string, string>, name: string, value: string): void {
  if (name === '__proto__') {
    Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
  } else headers[name] = value;
}

/** DAG-CBOR's order: shorter first, then by bytes. */
function compareKeys(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
