/**
 * @packageDocumentation
 *
 * The HTTP gateway: services as web sites, and content of IPFS. docs/gateway.md describes what is served where.
 */
export { createGateway, type Gateway } from './gateway.ts';
export { ListenError } from './http/index.ts';
export { GATEWAY_LIMITS } from './limits.ts';
export { startGateway, type GatewayNode } from './node-gateway.ts';
export type { GatewayConfig, GatewayInit, GatewayStats, ResolvedIpns } from './types.ts';
