export { clientKey, forwardedClient } from './client-key.ts';
export { Visitors, type Admitted } from './visitors.ts';
