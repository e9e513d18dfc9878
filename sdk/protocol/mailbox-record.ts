import type { PrivateKey } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { dagCborCid } from './cids.ts';
import { decodeEndpoints, type Endpoint } from './endpoints.ts';
import { DocumentError, hasOnly, isCount, openDocument, sealDocument } from './signed.ts';

/** Where a peer takes messages: its own signed word, published under the IPNS name of its key. */
export interface MailboxRecord {
  /** Providers that keep messages for it. Each may have all of them. */
  endpoints: Endpoint[];
  /** What mail to it is encrypted to: an age recipient, `age1...`. */
  mailKey?: string;
  /** Grows with every new record; the IPNS record has the same. */
  sequence: number;
  /** Milliseconds since 1970. */
  expiresMs: number;
}

export interface SealedMailboxRecord {
  cid: CID;
  bytes: Uint8Array;
  /** Peer id of whose mailbox it is. */
  peer: string;
  record: MailboxRecord;
}

export const MAILBOX_RECORD_BYTES_MAX = 48 * 1024;

const TYPE = 'mailbox';
const MAIL_KEY = /^age1[02-9ac-hj-np-z]{58}$/;

/** Signs a peer's record with its key. @throws DocumentError when it is over a limit */
export async function sealMailboxRecord(record: MailboxRecord, key: PrivateKey): Promise<SealedMailboxRecord> {
  return openMailboxRecord(await sealDocument(TYPE, { version: 1, ...record }, key));
}

/** @throws DocumentError when the block is not a mailbox record signed by the peer that it names */
export async function openMailboxRecord(bytes: Uint8Array): Promise<SealedMailboxRecord> {
  if (bytes.length > MAILBOX_RECORD_BYTES_MAX) {
    throw new DocumentError(TYPE, `it has more than ${MAILBOX_RECORD_BYTES_MAX} bytes`);
  }
  const { payload, signer } = await openDocument(TYPE, bytes);
  hasOnly(TYPE, payload, ['version', 'endpoints', 'mailKey', 'sequence', 'expiresMs']);
  const { version, mailKey, sequence, expiresMs } = payload;
  if (version !== 1) throw new DocumentError(TYPE, `version ${String(version)} is not known`);
  if (!isCount(sequence) || !isCount(expiresMs)) throw new DocumentError(TYPE, 'sequence or expiresMs is not a count');
  const isKey = typeof mailKey === 'string' && MAIL_KEY.test(mailKey);
  if (mailKey !== undefined && !isKey) throw new DocumentError(TYPE, 'mailKey is not an age recipient (age1...)');
  const record: MailboxRecord = {
    endpoints: decodeEndpoints(TYPE, payload['endpoints']),
    ...(isKey ? { mailKey } : {}),
    sequence,
    expiresMs,
  };
  return { cid: dagCborCid(bytes), bytes, peer: signer, record };
}
