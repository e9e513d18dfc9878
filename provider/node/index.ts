export { loadIdentity, IdentityError } from './identity.ts';
export { createNode, startNode, ListenError } from './node.ts';
export { Trimmer } from './trimmer.ts';
export type { NodeOptions } from './node.ts';
