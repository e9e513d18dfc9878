export { ask } from './ask.ts';
export { SERVICES_EXCHANGE } from './constants.ts';
export { ServicesServer } from './server.ts';
export * from './wire.ts';
