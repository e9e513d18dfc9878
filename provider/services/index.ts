export { nameRouters, openConsumerServices, type ConsumerServices } from './consumer-services.ts';
export { ServiceError, type ServiceErrorCode } from './errors.ts';
export type { HostPolicy } from './hosting/index.ts';
export { SERVICES_LIMITS, type ServicesLimits } from './limits.ts';
export * from './maintainer/index.ts';
export * from './names/index.ts';
export { LocalRunner } from './runner/local-runner.ts';
export { openProviderServices, type ProviderServices } from './services.ts';
export type * from './types.ts';
