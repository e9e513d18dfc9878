import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { identify } from '@libp2p/identify';
import type { Libp2p, PrivateKey } from '@libp2p/interface';
import { ping } from '@libp2p/ping';
import { tcp, type TCPSocketOptions } from '@libp2p/tcp';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { corkedWrites } from './corked-writes.ts';
import { gatheredWrites } from './gathered-writes.ts';
import { setNodeFlags } from '../v8-flags.ts';
import { lazyWindows } from './lazy-windows.ts';
import { mergedOnce } from './merged-once.ts';
import { nodeCrypto } from './noise-crypto.ts';
import { openedInParts } from './opened-in-parts.ts';
import { quickSelect } from './quick-select.ts';
import { quietLogger } from './quiet-logger.ts';

export interface NodeOptions {
  privateKey: PrivateKey;
  /** Multiaddrs to listen on; none for a node that only dials. */
  listen: string[];
  connectionsMax: number;
  /** Connections per second that one remote host may open. */
  connectionRatePerHostMax: number;
  streamsPerConnectionMax: number;
  /** What other rooms add to the host: more services, a filter for addresses, another memory for peers. */
  parts?: Pick<Libp2pOptions, 'services' | 'connectionGater' | 'datastore'>;
}

/** The most a peer may send before we have read it. */
const STREAM_WINDOW_BYTES = 2 * 1024 * 1024;

/** Bytes that a socket takes before it asks us to wait: with Node's 64 KiB, every noise frame waits for the one before it. */
const SOCKET: TCPSocketOptions & { highWaterMark: number } = { highWaterMark: 256 * 1024 };

export class ListenError extends WorkswapError {
  constructor(listen: string[], cause: unknown) {
    const reason = cause instanceof AggregateError ? cause.errors.map(String).join('; ') : String(cause);
    super(
      'CANNOT_LISTEN',
      `Cannot listen on ${listen.join(', ')}: ${reason}. Is another program using the port? Choose one with --listen, ` +
        'for example --listen /ip4/127.0.0.1/tcp/0 for any free port.',
      { fault: 'provider', cause },
    );
  }
}

/**
 * The libp2p host: TCP, noise, yamux, identify, ping. This is the one file that names the transports.
 */
export async function createNode(options: NodeOptions): Promise<Libp2p> {
  setNodeFlags();
  const { services, ...parts } = options.parts ?? {};
  const node = await createLibp2p({
    ...parts,
    // As for other programs with libp2p, DEBUG='*' or 'libp2p:*' shows what it does.
    ...(process.env['DEBUG'] === undefined ? { logger: quietLogger } : {}),
    privateKey: options.privateKey,
    nodeInfo: { name: 'workswap', version: '0.1.0' },
    addresses: { listen: options.listen },
    transports: [tcp({ dialOpts: SOCKET, listenOpts: SOCKET })],
    connectionEncrypters: [openedInParts(gatheredWrites(corkedWrites(noise({ crypto: nodeCrypto }))))],
    streamMuxers: [
      quickSelect(
        lazyWindows(
          yamux({
            maxInboundStreams: options.streamsPerConnectionMax,
            maxOutboundStreams: options.streamsPerConnectionMax,
            streamOptions: {
              // The default window grows to 16 MiB while a paused stream may buffer only 4 MiB: a peer that keeps to the
              // window would be reset.
              maxStreamWindowSize: STREAM_WINDOW_BYTES,
              maxReadBufferLength: 2 * STREAM_WINDOW_BYTES,
            },
          }),
        ),
      ),
    ],
    services: { ...services, identify: identify(), ping: ping() },
    connectionManager: {
      maxConnections: options.connectionsMax,
      inboundConnectionThreshold: options.connectionRatePerHostMax,
      // Connections whose handshake is not done; with the default of 10, ten that dawdle keep everybody out.
      maxIncomingPendingConnections: Math.max(10, Math.floor(options.connectionsMax / 4)),
    },
    connectionMonitor: { abortConnectionOnPingFailure: false },
    start: false,
  });
  mergedOnce(node.peerStore);
  return node;
}

/** Starts listening. @throws ListenError that says which address and why. */
export async function startNode(node: Libp2p, listen: string[]): Promise<void> {
  try {
    await node.start();
  } catch (error) {
    await node.stop();
    throw new ListenError(listen, error);
  }
}
