import { CborWriter, key } from '../../../sdk/protocol/cbor.ts';
import { RESPONSE_HEADERS_MAX } from '../../../sdk/protocol/response-head.ts';
import { JobEnd } from '../errors.ts';

const STATUS = key('status');
const HEADERS = key('headers');
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Where the header lines end: `end` is behind the last line, `body` behind the blank one. */
export function findBlankLine(bytes: Uint8Array, from: number): { end: number; body: number } | undefined {
  for (let at = bytes.indexOf(10, from); at !== -1; at = bytes.indexOf(10, at + 1)) {
    const start = at > 0 && bytes[at - 1] === 13 ? at - 1 : at;
    if (start === 0 || bytes[start - 1] === 10) return { end: start, body: at + 1 };
  }
  return undefined;
}

/**
 * CGI header lines as the ABI's response head. `status: 404 Not Found` sets the status, `location` without one makes it
 * 302, otherwise it is 200. Names become lower case; of two equal ones the values are joined: cookies by a line break,
 * which none has in itself, all others by a comma, as HTTP allows.
 *
 * @throws JobEnd INVALID_OUTPUT
 */
export function encodeCgiHead(lines: Uint8Array): Uint8Array {
  let text: string;
  try {
    text = decoder.decode(lines);
  } catch {
    throw invalid('its header lines are not UTF-8');
  }
  let status: number | undefined;
  const headers = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    // oxlint-disable-next-line no-control-regex
    if (!TOKEN.test(name) || /[\0\r]/.test(value)) throw invalid(`"${line.slice(0, 80)}" is not a header line`);
    if (name === 'status') {
      const digits = /^([1-5]\d\d)(?: |$)/.exec(value)?.[1];
      if (digits === undefined) throw invalid(`its status is "${value.slice(0, 80)}"`);
      status = Number(digits);
      continue;
    }
    const before = headers.get(name);
    const separator = name === 'set-cookie' ? '\n' : ', ';
    headers.set(name, before === undefined ? value : before + separator + value);
    if (headers.size > RESPONSE_HEADERS_MAX) throw invalid(`it has more than ${RESPONSE_HEADERS_MAX} headers`);
  }
  status ??= headers.has('location') ? 302 : 200;
  const entries = [...headers].map(([name, value]) => ({ encoded: key(name), value }));
  entries.sort((a, b) => Buffer.compare(a.encoded, b.encoded));
  const writer = new CborWriter().map(2).raw(STATUS).uint(status).raw(HEADERS).map(entries.length);
  for (const { encoded, value } of entries) writer.raw(encoded).text(value);
  return writer.finish();
}

export function invalid(reason: string): JobEnd {
  return new JobEnd(
    'INVALID_OUTPUT',
    `What the handler wrote to stdout is no CGI response: ${reason}. Print header lines, a blank line, and the body.`,
  );
}
