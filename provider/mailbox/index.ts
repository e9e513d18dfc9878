export {
  MailboxClient,
  type AttachedFile,
  type Copy,
  type MailboxNode,
  type SendOptions,
  type Sent,
} from './client/client.ts';
export { Inbox, type InboxInit } from './client/inbox.ts';
export { openMailboxesAt } from './client/open-mailboxes.ts';
export { checkMailboxPublication, mailboxName } from './publication.ts';
export { MailboxEndpoint, type EndpointInit, type PutOptions } from './client/endpoint.ts';
export { MailboxError, type MailboxErrorCode } from './errors.ts';
export { MAILBOX_LIMITS, MESSAGE_BYTES_MAX, MESSAGE_ID_BYTES, TTL_MS_DEFAULT, type MailboxLimits } from './limits.ts';
export { Mailboxes, type MailboxPolicy } from './mailboxes.ts';
export { RefusedError } from '../net/index.ts';
export type { PutAnswer } from './net/answers.ts';
export { MAILBOX_PROTOCOL, NOTIFY_PROTOCOL } from './net/constants.ts';
export { openMailboxes } from './open.ts';
export { priceOf } from './price.ts';
export * from './types.ts';
