import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { CID } from 'multiformats/cid';
import { DocumentError, openDocument, sealDocument } from '../../sdk/protocol/index.ts';
import { hasOnly, isCount, isMap } from '../../sdk/protocol/signed.ts';
import {
  ATTACHMENT_BYTES_MAX,
  ATTACHMENTS_MAX,
  FILE_NAME_LENGTH_MAX,
  FILE_TYPE_LENGTH_MAX,
  LETTER_BYTES_MAX,
  LETTER_ID_BYTES,
  RECIPIENTS_MAX,
  SUBJECT_LENGTH_MAX,
  TEXT_BYTES_MAX,
} from './limits.ts';

/** A file beside a letter: encrypted in IPFS, its key in the letter. */
export interface Attachment {
  name: string;
  /** Media type. */
  type: string;
  /** Length of the file itself. */
  bytes: number;
  /** The encrypted file. */
  cid: CID;
  /** The age identity that decrypts it and nothing else. */
  key: string;
}

/** What is encrypted to each recipient, signed by its author as a whole. */
export interface Letter {
  id: Uint8Array;
  /** The id of the first letter of the conversation. */
  thread: Uint8Array;
  /** The letter that this one answers. */
  replyTo?: Uint8Array;
  /** Peer ids of all recipients: whoever gets it sees that it is meant for him, and who else has it. */
  to: string[];
  /** What the author's clock said. */
  timeMs: number;
  subject: string;
  text: string;
  attachments: Attachment[];
}

const TYPE = 'letter';
const FIELDS = ['version', 'id', 'thread', 'replyTo', 'to', 'timeMs', 'subject', 'text', 'attachments'] as const;
const PEER_LENGTH_MAX = 128;
const KEY = /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/;

/** @throws DocumentError when it is over a limit */
export async function signLetter(letter: Letter, key: PrivateKey): Promise<Uint8Array> {
  const bytes = await sealDocument(TYPE, { version: 1, ...letter }, key);
  await openLetter(bytes);
  return bytes;
}

/** @throws DocumentError when it is no letter that its author has signed */
export async function openLetter(bytes: Uint8Array): Promise<{ letter: Letter; author: string }> {
  const { payload, signer } = await openDocument(TYPE, bytes, LETTER_BYTES_MAX);
  hasOnly(TYPE, payload, FIELDS);
  const { version, replyTo, to, timeMs, subject, text, attachments } = payload;
  if (version !== 1) throw invalid(`version ${String(version)} is not known`);
  if (!isCount(timeMs)) throw invalid('its time is not a count');
  if (typeof subject !== 'string' || subject.length > SUBJECT_LENGTH_MAX || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(subject)) {
    throw invalid(`its subject is not one line of at most ${SUBJECT_LENGTH_MAX} characters`);
  }
  if (typeof text !== 'string' || Buffer.byteLength(text) > TEXT_BYTES_MAX) {
    throw invalid(`its text is not one of at most ${TEXT_BYTES_MAX} bytes`);
  }
  const isTo = Array.isArray(to) && to.length > 0 && to.length <= RECIPIENTS_MAX && to.every(isPeer);
  if (!isTo || new Set(to).size < to.length) throw invalid(`it is not to one to ${RECIPIENTS_MAX} different peers`);
  if (!Array.isArray(attachments) || attachments.length > ATTACHMENTS_MAX) {
    throw invalid(`it has not a list of at most ${ATTACHMENTS_MAX} attachments`);
  }
  const letter: Letter = {
    id: idOf(payload['id']),
    thread: idOf(payload['thread']),
    ...(replyTo === undefined ? {} : { replyTo: idOf(replyTo) }),
    to: to as string[],
    timeMs,
    subject,
    text,
    attachments: attachments.map(attachmentOf),
  };
  return { letter, author: signer };
}

function attachmentOf(value: unknown): Attachment {
  if (!isMap(value)) throw invalid('an attachment is no map');
  hasOnly(TYPE, value, ['name', 'type', 'bytes', 'cid', 'key']);
  const { name, type, bytes, key } = value;
  const cid = CID.asCID(value['cid']);
  if (typeof name !== 'string' || !isFileName(name)) throw invalid('the name of an attachment is not that of a file');
  const isType = typeof type === 'string' && type.length <= FILE_TYPE_LENGTH_MAX && /^[\w.+-]+\/[\w.+-]+$/.test(type);
  if (!isType) throw invalid('an attachment has no media type');
  if (!isCount(bytes) || bytes > ATTACHMENT_BYTES_MAX) throw invalid('an attachment is too large');
  if (cid === null || typeof key !== 'string' || !KEY.test(key)) throw invalid('an attachment has no CID or no key');
  return { name, type, bytes, cid, key };
}

/** One that can be written into a directory, and nowhere else. */
export function isFileName(name: string): boolean {
  return (
    name.length > 0 && name.length <= FILE_NAME_LENGTH_MAX && !/^\.+$/.test(name) && !/[/\\:\p{Cc}\p{Cf}]/u.test(name)
  );
}

function idOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array && value.length === LETTER_ID_BYTES) return value;
  throw invalid(`an id has not ${LETTER_ID_BYTES} bytes`);
}

function isPeer(value: unknown): boolean {
  try {
    return typeof value === 'string' && value.length <= PEER_LENGTH_MAX && peerIdFromString(value).toString() === value;
  } catch {
    return false;
  }
}

function invalid(reason: string): DocumentError {
  return new DocumentError(TYPE, reason);
}
