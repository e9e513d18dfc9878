import { isPeerId } from '@libp2p/interface';
import type { Connection, Libp2p, PeerId } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { Client } from './client.ts';
import type { ClientInit } from './client.ts';
import { UnreachableError } from './errors.ts';

export interface ConnectOptions {
  /** The node that dials. Its identity is the consumer. */
  libp2p: Libp2p;
  onReceipt?: ClientInit['onReceipt'];
  signal?: AbortSignal;
}

/**
 * Connects to a provider at one of its addresses (all of them of the same peer), or to one that is connected already.
 *
 * @throws UnreachableError when none of the addresses answers
 */
export async function connect(addrs: PeerId | string | string[], options: ConnectOptions): Promise<Client> {
  const connection = await dial(addrs, options);
  return new Client({
    libp2p: options.libp2p,
    connection,
    ...(options.onReceipt === undefined ? {} : { onReceipt: options.onReceipt }),
  });
}

async function dial(addrs: PeerId | string | string[], { libp2p, signal }: ConnectOptions): Promise<Connection> {
  const where = isPeerId(addrs) ? addrs : [addrs].flat().map(parseAddress);
  try {
    return await libp2p.dial(where, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new UnreachableError(
      `No provider answers at ${String(addrs)}: ${(error as Error).message}. Is it running, and is this its address?`,
      error,
    );
  }
}

function parseAddress(text: string): ReturnType<typeof multiaddr> {
  try {
    return multiaddr(text);
  } catch (error) {
    throw new UnreachableError(
      `${text} is not a multiaddr. It looks like /ip4/127.0.0.1/tcp/4771/p2p/12D3Koo...; the provider prints its own.`,
      error,
    );
  }
}
