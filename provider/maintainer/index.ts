export { readArchive, writeArchive, type Archive } from './archive.ts';
export { MaintainerError } from './errors.ts';
export { readHistory } from './history.ts';
export { importPath } from './import-path.ts';
export { loadMaintainerKey, readLocalProvider, removeLocalProvider, writeLocalProvider } from './local-provider.ts';
export { Maintainer } from './maintainer.ts';
export { oneAtATime } from './one-at-a-time.ts';
export type { EndpointResult, EndpointStatus, MaintainerInit, ServiceChanges } from './maintainer.ts';
