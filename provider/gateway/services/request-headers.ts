import type { IncomingHttpHeaders } from 'node:http';
import { plainTags } from './compress.ts';
import { HEADER_BYTES_MAX, HEADERS_MAX } from '../../../sdk/protocol/constants.ts';

/**
 * Headers that a handler gets. A list of what passes, not of what does not: everything passed is paid for by the byte,
 * goes to whoever runs the service, and must not be what belongs between the browser and the gateway.
 */
const PASSED = new Set([
  'accept',
  'accept-language',
  'authorization',
  'content-type',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'origin',
  'referer',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'user-agent',
]);

/** Headers whose values are the ETags of earlier answers. */
const TAGS = new Set(['if-match', 'if-none-match']);

/** Written by proxies, about the visitor. */
const FORWARDED = /^x-(?:forwarded-|real-ip$|client-ip$|workswap-)/;

/** @param hasCookies false where others use the cookies of the host */
export function requestHeaders(headers: IncomingHttpHeaders, hasCookies: boolean): Record<string, string> {
  const passed: Record<string, string> = {};
  let count = 0;
  let bytes = 0;
  for (const name in headers) {
    const isCookie = name === 'cookie' && hasCookies;
    if (!isCookie && !PASSED.has(name) && !(name.startsWith('x-') && !FORWARDED.test(name))) continue;
    const value = TAGS.has(name) ? plainTags(String(headers[name])) : String(headers[name]);
    count += 1;
    bytes += name.length + value.length;
    // Beyond what a task can carry the rest is left out: browsers send what matters first.
    if (count > HEADERS_MAX || bytes > HEADER_BYTES_MAX) break;
    passed[name] = value;
  }
  return passed;
}
