export { startMailPage, type MailPage } from './server.ts';
