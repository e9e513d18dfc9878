export { ask } from './ask.ts';
export { SERVICES_PROTOCOL } from './constants.ts';
export { ServicesServer } from './server.ts';
export * from './wire.ts';
