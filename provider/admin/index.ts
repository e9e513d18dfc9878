export { AdminListenError, startAdmin, type Admin, type AdminInit } from './server.ts';
