import { decodeMap, isMap } from '../../../sdk/protocol/signed.ts';
import { JobEnd } from '../errors.ts';
import { WASI_LIMITS } from './constants.ts';

/** What a command module sees of its request: CGI variables and arguments, each with its zero byte, and stdin. */
export interface CgiRequest {
  environment: Uint8Array[];
  environmentBytes: number;
  args: Uint8Array[];
  argsBytes: number;
  body: Uint8Array;
}

const encoder = new TextEncoder();

/**
 * The input as a CGI request, in the names of WAGI. The order of the variables is fixed, and headers come in the order
 * of the input, so that the handler sees the same bytes on every provider.
 */
export function toCgiRequest(input: Uint8Array): CgiRequest {
  const { method, path, query, caller, headers, body } = decodeRequest(input);
  const variables = new Map<string, string>([
    ['GATEWAY_INTERFACE', 'CGI/1.1'],
    ['SERVER_SOFTWARE', 'WAGI/1'],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['SERVER_NAME', 'workswap'],
    ['SERVER_PORT', '80'],
    ['REQUEST_METHOD', method],
    ['SCRIPT_NAME', ''],
    ['X_MATCHED_ROUTE', '/...'],
    ['PATH_INFO', decodePath(path)],
    ['X_RAW_PATH_INFO', path],
    ['PATH_TRANSLATED', decodePath(path)],
    ['QUERY_STRING', query],
    ['REMOTE_ADDR', caller],
    ['REMOTE_USER', caller],
    ['AUTH_TYPE', caller === '' ? '' : 'peer-id'],
    ['CONTENT_TYPE', ''],
    ['CONTENT_LENGTH', String(body.length)],
  ]);
  for (const [name, value] of Object.entries(headers)) {
    // A program would take HTTP_PROXY for its own configuration (httpoxy).
    if (!/^[a-z0-9-]+$/i.test(name) || /^(proxy|content-length)$/i.test(name)) continue;
    const upper = name.toUpperCase().replaceAll('-', '_');
    if (upper === 'CONTENT_TYPE') variables.set(upper, value);
    else if (!variables.has(`HTTP_${upper}`)) variables.set(`HTTP_${upper}`, value);
  }
  const environment = [...variables].map(([name, value]) => zeroEnded(`${name}=${value}`));
  const environmentBytes = sum(environment);
  if (environmentBytes > WASI_LIMITS.environmentBytesMax) {
    throw unusable(`its variables take ${environmentBytes} bytes; at most ${WASI_LIMITS.environmentBytesMax}`);
  }
  const args = [zeroEnded(path)];
  return { environment, environmentBytes, args, argsBytes: sum(args), body };
}

interface Request {
  method: string;
  path: string;
  query: string;
  caller: string;
  headers: Record<string, string>;
  body: Uint8Array;
}

function decodeRequest(input: Uint8Array): Request {
  let fields: Record<string, unknown>;
  try {
    fields = decodeMap('input', input);
  } catch (error) {
    throw unusable((error as Error).message);
  }
  const { method, path, query, caller, headers, body = new Uint8Array(0) } = fields;
  if (
    typeof method !== 'string' ||
    typeof path !== 'string' ||
    typeof query !== 'string' ||
    typeof caller !== 'string' ||
    !isMap(headers) ||
    !(body instanceof Uint8Array)
  ) {
    throw unusable('a field is missing or of the wrong kind');
  }
  const texts: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') throw unusable(`the header ${name} is not a text`);
    texts.push([name, value]);
  }
  return { method, path, query, caller, headers: Object.fromEntries(texts), body };
}

function unusable(reason: string): JobEnd {
  return new JobEnd('HANDLER_FAILED', `The input is no request that a WASI handler can be given: ${reason}.`);
}

/** As CGI wants it; a path that cannot be decoded stays as it is. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** A zero byte would end the text early, and let a header pretend to be two variables. */
function zeroEnded(text: string): Uint8Array {
  return encoder.encode(`${text.replaceAll('\0', '')}\0`);
}

function sum(parts: readonly Uint8Array[]): number {
  return parts.reduce((total, { length }) => total + length, 0);
}
