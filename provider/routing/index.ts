export { addressFilter, type AddressFilter } from './addresses.ts';
export { RouterError } from './errors.ts';
export { ROUTING_LIMITS, type RoutingLimits } from './limits.ts';
export { PROVIDER_RENDEZVOUS } from './rendezvous.ts';
export { prepareRouting, type Routing, type RoutingConfig, type RoutingInit } from './routing.ts';
