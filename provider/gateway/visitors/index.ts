export { clientKey, forwardedClient, isLoopback } from './client-key.ts';
export { Visitors, type Admitted } from './visitors.ts';
