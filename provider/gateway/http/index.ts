/**
 * @packageDocumentation
 *
 * HTTP for the gateway and the admin page: a server with limits, a thin way from node:http to handlers, errors as pages.
 */
export { matchesTag, parseRange, type ByteRange } from './conditional.ts';
export { errorReply, STYLE } from './error-pages.ts';
export { HttpError, ListenError } from './errors.ts';
export { escapeHtml } from './escape.ts';
export type { ServerLimits } from './limits.ts';
export { createListener, type Listener } from './listener.ts';
export { parseAccept, prefers, type Accepted } from './negotiate.ts';
export { bearerOf, isToken, OWN_PAGE_HEADERS } from './own-page.ts';
export { parseListenAddress, startServer, type HttpServer, type ListenAddress } from './server.ts';
export type { HttpHandler, HttpHeaders, HttpReply, HttpRequest } from './types.ts';
