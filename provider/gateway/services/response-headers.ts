import { HttpError, type HttpHeaders } from '../http/index.ts';
import { RESPONSE_HEADER_BYTES_MAX } from '../limits.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Tab, and everything of latin1 that is no control character. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Those that are the gateway's to say: about the connection, about itself, about its whole host. */
const KEPT_BACK = new Set([
  'alt-svc',
  'clear-site-data',
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'nel',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'report-to',
  'server',
  'server-timing',
  'strict-transport-security',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/**
 * A handler's headers as they go out. A line break in a value would start a header, or a response, of its own: that is
 * the handler's failure, and nothing of the answer is sent.
 *
 * @throws HttpError 500
 */
export function responseHeaders(headers: Record<string, string>, hasCookies: boolean): HttpHeaders {
  const checked: HttpHeaders = {};
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!TOKEN.test(name)) throw invalid('a header name that HTTP does not allow');
    bytes += name.length + value.length;
    if (bytes > RESPONSE_HEADER_BYTES_MAX) throw invalid(`more than ${RESPONSE_HEADER_BYTES_MAX} bytes of headers`);
    if (KEPT_BACK.has(lower) || lower.startsWith('x-workswap-')) continue;
    if (lower === 'set-cookie') {
      const cookies = value.split('\n').map(ownCookie);
      // At a shared host a cookie would be everybody's.
      if (hasCookies) checked[lower] = cookies;
    } else if (VALUE.test(value)) checked[lower] = value;
    else throw invalid(`characters in "${lower}" that HTTP does not allow`);
  }
  return checked;
}

/** A cookie stays at the host that sets it: `Domain=localhost` would reach every other service. */
function ownCookie(cookie: string): string {
  if (!VALUE.test(cookie)) throw invalid('characters in "set-cookie" that HTTP does not allow');
  const [pair = '', ...attributes] = cookie.split(';');
  const kept = attributes.filter((attribute) => !/^\s*domain\s*(?:=|$)/i.test(attribute));
  return [pair, ...kept].join(';');
}

function invalid(what: string): HttpError {
  return new HttpError(500, 'HANDLER_FAILED', 'The service failed', { fault: 'handler', cause: new Error(what) });
}
