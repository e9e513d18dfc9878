export { MailApi, type MailRequest } from './api.ts';
export type { NewAttachment } from './attachments.ts';
export { MailError, type MailErrorCode } from './errors.ts';
export type { Attachment, Letter } from './letter.ts';
export { Mail, type MailInit, type NewLetter, type OpenedLetter, type Synced } from './mail.ts';
export { openMail } from './open.ts';
export { findRunning, sayRunning, sayStopped, type RunningMail } from './running.ts';
export type { AttachmentView, DeliveryView, LetterView, PersonView, RowView } from './views.ts';
export type { Box, Contact, Delivery, LetterRow } from './store.ts';
