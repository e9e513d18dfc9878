import type { IncomingMessage } from 'node:http';
import { HttpError } from './errors.ts';
import { HEADERS_PER_REQUEST_MAX } from './limits.ts';

/** What a proxy in front may have read in another way than we do ends the connection. */
const CLOSE = { headers: { connection: 'close' } };

/** What node's parser lets pass, and we do not. @throws HttpError */
export function checkHead({ method, url = '', httpVersion, headers, rawHeaders }: IncomingMessage): void {
  const isOld = httpVersion !== '1.1';
  if (isOld && (httpVersion !== '1.0' || headers['transfer-encoding'] !== undefined)) {
    throw new HttpError(
      400,
      'VERSION_INVALID',
      'A request is one of HTTP/1.1, or one of HTTP/1.0 without chunks',
      CLOSE,
    );
  }
  if (rawHeaders.length > 2 * HEADERS_PER_REQUEST_MAX) {
    throw new HttpError(431, 'TOO_MANY_HEADERS', `A request has at most ${HEADERS_PER_REQUEST_MAX} headers`, CLOSE);
  }
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts > 1) throw new HttpError(400, 'HOST_INVALID', 'A request has one Host header', CLOSE);
  if (!url.startsWith('/') && !(url === '*' && method === 'OPTIONS')) {
    throw new HttpError(400, 'TARGET_INVALID', 'The target of a request is a path that begins with /', CLOSE);
  }
}
