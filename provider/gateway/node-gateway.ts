import type { Blockstore } from 'interface-blockstore';
import type { Bitswap } from '../bitswap/index.ts';
import type { Pinning } from '../pinning/index.ts';
import type { DnsLink, NameRecord, ServiceRunner } from '../services/index.ts';
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
  dnslink: DnsLink | undefined;
}

/** A gateway in front of a node. @throws ListenError */
export function startGateway(
  node: GatewayNode,
  config: GatewayConfig,
  onError?: (error: unknown) => void,
): Promise<Gateway> {
  const { dnslink } = node;
  return createGateway({
    config,
    runner: node.runner,
    getBlock: (cid, options) => node.bitswap.get(cid, options),
    hasBlock: async (cid) => node.blocks.has(cid),
    resolveIpns: async (name, signal) => {
      const { value, ttlMs, expiresMs, bytes } = await node.resolveName(name, signal);
      return { value, ttlMs, expiresMs, record: bytes };
    },
    ...(dnslink === undefined ? {} : { resolveDnsLink: (host) => dnslink.values(host) }),
    ...(node.pinning === undefined ? {} : { pinning: node.pinning }),
    ...(onError === undefined ? {} : { onError }),
  });
}
