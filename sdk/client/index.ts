export { Client, DEFAULT_LIMITS, normalizeRequest } from './client.ts';
export type { CallOptions, CallRequest, PreparedTask } from './client.ts';
export { connect } from './connect.ts';
export type { ConnectOptions } from './connect.ts';
export { ProviderFaultError, UnreachableError } from './errors.ts';
export { JobError } from './pending-call.ts';
export type { Response } from './response.ts';
