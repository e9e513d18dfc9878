import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Tally } from '../../tally.ts';
import { ListenError } from './errors.ts';
import { HEADERS_PER_REQUEST_MAX, REQUESTS_PER_CONNECTION_MAX, STOP_GRACE_MS, type ServerLimits } from './limits.ts';
import { refuseMalformed } from './refuse.ts';

export interface HttpServer {
  /** `http://HOST:PORT`, with the port that the system chose for 0. */
  url: string;
  port: number;
  connections(): number;
  /** Takes no new requests, lets those under way end for `graceMs`, closes the rest. */
  stop(options?: { graceMs?: number }): Promise<void>;
}

export interface ListenAddress {
  host: string;
  port: number;
}

/** `HOST:PORT`, `[IPv6]:PORT`, or a port of this machine's loopback. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:(?:\[([0-9a-f:.]+)\]|([^\s:[\]]+)):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return undefined;
  return { host: match[1] ?? match[2] ?? '127.0.0.1', port };
}

/**
 * Starts an HTTP server with limits on everything a client can make us hold: heads, connections, time. The parser is
 * node's strict one: what could be read in two ways (two lengths, a length beside chunks, folded headers, bare line
 * feeds) is refused with 400 and ends the connection.
 *
 * @throws ListenError that says what to do
 */
export async function startServer(
  address: ListenAddress,
  listener: RequestListener,
  limits: Omit<ServerLimits, 'requestsMax' | 'deadlineMs'>,
): Promise<HttpServer> {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      // node takes no longer time for a part than for the whole.
      headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: Math.min(limits.idleTimeoutMs, 10_000),
      connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs, 1000),
      insecureHTTPParser: false,
      requireHostHeader: true,
      noDelay: true,
    },
    listener,
  );
  // Headers beyond it are dropped, which hides them; with one more, `checkHead` sees that there are too many.
  server.maxHeadersCount = HEADERS_PER_REQUEST_MAX + 1;
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION_MAX;
  server.maxConnections = limits.connectionsMax;
  server.timeout = limits.idleTimeoutMs;
  refuseMalformed(server);
  const sockets = limitPerClient(server, limits.connectionsPerClientMax);
  await listen(server, address);
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  let stopped: Promise<void> | undefined;
  return {
    url: `http://${host}:${port}`,
    port,
    connections: () => sockets.size,
    stop({ graceMs = STOP_GRACE_MS } = {}) {
      stopped ??= stop(server, graceMs);
      return stopped;
    },
  };
}

async function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    reject(new ListenError(`${host}:${port}`, REASONS[error.code ?? ''] ?? error.message, error));
  });
  server.listen(port, host, resolve);
  await promise;
  server.removeAllListeners('error');
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'something listens there already. Choose another port, or 0 for any free one',
  EACCES: 'this user may not. Choose a port above 1023',
  EADDRNOTAVAIL: 'no interface of this machine has that address. 127.0.0.1 is this machine, 0.0.0.0 every interface',
  ENOTFOUND: 'the name is not known. Give an IP address',
};

/** One address cannot take all connections. */
function limitPerClient(server: Server, perClientMax: number): Set<Socket> {
  const sockets = new Set<Socket>();
  const counts = new Tally();
  server.on('connection', (socket: Socket) => {
    const client = socket.remoteAddress ?? '';
    counts.add(client);
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      counts.remove(client);
    });
    if (counts.of(client) > perClientMax) socket.destroy();
  });
  return sockets;
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await promise;
  clearTimeout(timer);
}
