import type { Blockstore } from 'interface-blockstore';
import type { Bitswap } from '../bitswap/index.ts';
import type { Pinning } from '../pinning/index.ts';
import type { NameRecord, ServiceRunner } from '../services/index.ts';
import { createGateway, type Gateway } from './gateway.ts';
import type { GatewayConfig } from './types.ts';

/** What a gateway needs of a node: a provider and a consumer both have it. */
export interface GatewayNode {
  bitswap: Bitswap;
  blocks: Blockstore;
  runner: ServiceRunner;
  /** Of a provider. */
  pinning?: Pinning;
  resolveName(name: string, signal: AbortSignal): Promise<NameRecord>;
}

/** A gateway in front of a node. @throws ListenError */
export function startGateway(
  node: GatewayNode,
  config: GatewayConfig,
  onError?: (error: unknown) => void,
): Promise<Gateway> {
  return createGateway({
    config,
    runner: node.runner,
    getBlock: (cid, options) => node.bitswap.get(cid, options),
    hasBlock: async (cid) => node.blocks.has(cid),
    resolveIpns: async (name, signal) => {
      const { descriptor, ttlMs, expiresMs, bytes } = await node.resolveName(name, signal);
      return { cid: descriptor, ttlMs, expiresMs, record: bytes };
    },
    ...(node.pinning === undefined ? {} : { pinning: node.pinning }),
    ...(onError === undefined ? {} : { onError }),
  });
}
