import { CborWriter, key } from './cbor.ts';
import { SEED_BYTES } from './constants.ts';
import { DocumentError, decodeMap, isCount, isMap } from './signed.ts';

/** What the author of a handler sees as the request, as far as the consumer chooses it. */
export interface JobRequest {
  method: string;
  path: string;
  /** Query string without the question mark. */
  query: string;
  headers: Record<string, string>;
  body?: Uint8Array;
  /** The task's time, milliseconds since 1970: the only clock that the handler has. */
  timeMs: number;
  /** 32 bytes from which all randomness of the handler follows. */
  seed: Uint8Array;
}

/**
 * A job's input block: the request and who asked, as a DAG-CBOR map `{method, path, query, headers, body?, caller,
 * timeMs, seed}`. Both ends encode it from the fields on the wire, with the caller taken from the connection, so that
 * nobody can ask in another peer's name and nothing that a peer encoded has to be trusted. Its CID is the task's input.
 */
export function encodeInput(request: JobRequest, caller: string): Uint8Array {
  const { method, path, query, headers, body, timeMs, seed } = request;
  // Before the writer of the whole, which would make each of these take a new buffer.
  const fields = Object.keys(headers).map(headerKey);
  fields.sort((a, b) => a.encoded.length - b.encoded.length || Buffer.compare(a.encoded, b.encoded));
  const writer = new CborWriter().map(body === undefined ? 7 : 8);
  if (body !== undefined) writer.raw(BODY).bytes(body);
  writer.raw(PATH).text(path).raw(SEED).bytes(seed).raw(QUERY).text(query).raw(CALLER).text(caller);
  writer.raw(METHOD).text(method).raw(TIME).uint(timeMs).raw(HEADERS).map(fields.length);
  for (const { name, encoded } of fields) writer.raw(encoded).text(headers[name]!);
  return writer.finish();
}

/** Requests have the same few headers; DAG-CBOR's order of their names is that of their encodings, short ones first. */
const headerKeys = new Map<string, { name: string; encoded: Uint8Array }>();
const HEADER_KEYS_MAX = 256;
const HEADER_KEY_LENGTH_MAX = 64;

function headerKey(name: string): { name: string; encoded: Uint8Array } {
  const known = headerKeys.get(name);
  if (known !== undefined) return known;
  const made = { name, encoded: key(name) };
  if (headerKeys.size < HEADER_KEYS_MAX && name.length <= HEADER_KEY_LENGTH_MAX) headerKeys.set(name, made);
  return made;
}

const BODY = key('body');
const PATH = key('path');
const SEED = key('seed');
const QUERY = key('query');
const CALLER = key('caller');
const METHOD = key('method');
const TIME = key('timeMs');
const HEADERS = key('headers');

/** What a re-run needs from an input block. @throws DocumentError when the block is not a job's input */
export function decodeInput(bytes: Uint8Array): {
  method: string;
  headers: Record<string, string>;
  caller: string;
  timeMs: number;
  seed: Uint8Array;
} {
  const { method, headers, caller, timeMs, seed } = decodeMap('input', bytes);
  if (
    typeof method !== 'string' ||
    !isMap(headers) ||
    !Object.values(headers).every((value) => typeof value === 'string') ||
    typeof caller !== 'string' ||
    !isCount(timeMs) ||
    !(seed instanceof Uint8Array) ||
    seed.length !== SEED_BYTES
  ) {
    throw new DocumentError('input', 'a field is missing or of the wrong kind');
  }
  return { method, headers: headers as Record<string, string>, caller, timeMs, seed };
}
