import type { Attachment } from './letter.ts';
import type { Mail, OpenedLetter } from './mail.ts';
import type { LetterRow } from './store.ts';

/** Whoever is no verified contact is not to be mistaken for one. */
export interface PersonView {
  peer: string;
  isMe: boolean;
  /** Of a contact. */
  name?: string;
  isVerified?: boolean;
}

export interface DeliveryView extends PersonView {
  isSent: boolean;
  error?: string;
}

export interface RowView {
  id: string;
  box: 'in' | 'out';
  thread: string;
  from: PersonView;
  /** Of a letter of ours. */
  deliveries: DeliveryView[];
  subject: string;
  timeMs: number;
  isRead: boolean;
}

/** An attachment as a letter names it, its CID as text. */
export type AttachmentView = Omit<Attachment, 'cid'> & { cid: string };

export interface LetterView extends RowView {
  replyTo?: string;
  to: PersonView[];
  text: string;
  attachments: Omit<AttachmentView, 'key'>[];
}

export function personView(mail: Mail, peer: string): PersonView {
  const contact = mail.store.contact(peer);
  const isMe = peer === mail.address;
  return contact === undefined ? { peer, isMe } : { peer, isMe, name: contact.name, isVerified: contact.isVerified };
}

export function rowView(mail: Mail, row: LetterRow): RowView {
  const { box, author, subject, timeMs, isRead } = row;
  const deliveries = box === 'out' ? mail.store.deliveries(row.id) : [];
  return {
    id: hex(row.id),
    box,
    thread: hex(row.thread),
    from: personView(mail, author),
    deliveries: deliveries.map(({ recipient, ...rest }) => ({ ...personView(mail, recipient), ...rest })),
    subject,
    timeMs,
    isRead,
  };
}

export function letterView(mail: Mail, { letter, ...row }: OpenedLetter): LetterView {
  const { to, text, replyTo, attachments } = letter;
  return {
    ...rowView(mail, row),
    ...(replyTo === undefined ? {} : { replyTo: hex(replyTo) }),
    to: to.map((peer) => personView(mail, peer)),
    text,
    attachments: attachments.map(({ name, type, bytes, cid }) => ({ name, type, bytes, cid: cid.toString() })),
  };
}

function hex(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}
