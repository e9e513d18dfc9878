export type { HostPolicy } from './admission.ts';
export { Hosted } from './hosted.ts';
export { Hosting, type HostingInit } from './hosting.ts';
