import type { PeerId, PrivateKey } from '@libp2p/interface';
import {
  DocumentError,
  openMailboxRecord,
  sealMailboxRecord,
  serviceName,
  type MailboxRecord,
  type SealedMailboxRecord,
} from '../../sdk/protocol/index.ts';
import { checkRecord, createRecord, descriptorOf, type NameRecord } from '../services/index.ts';

/** A mailbox record and the IPNS record that names it: what a provider is given to keep. */
export interface MailboxPublication {
  record: Uint8Array;
  document: Uint8Array;
}

export async function makeMailboxPublication(record: MailboxRecord, key: PrivateKey): Promise<MailboxPublication> {
  const { cid, bytes } = await sealMailboxRecord(record, key);
  const { sequence, expiresMs } = record;
  return { record: await createRecord(key, { descriptor: cid, sequence, expiresMs }), document: bytes };
}

/** The IPNS name under which a peer's mailbox record is. @throws DocumentError when the peer's key is not Ed25519 */
export function mailboxName(peer: PeerId): string {
  if (peer.type === 'Ed25519') return serviceName(peer.publicKey);
  throw new DocumentError('peer', `${peer.toString()} is no Ed25519 key, so it has no name`);
}

/** @throws DocumentError, RecordError */
export async function checkMailboxPublication(
  peer: PeerId,
  { record, document }: MailboxPublication,
): Promise<{ name: NameRecord; sealed: SealedMailboxRecord }> {
  const sealed = await openMailboxRecord(document);
  const name = await checkRecord(mailboxName(peer), record, Date.now());
  if (sealed.peer !== peer.toString()) throw new DocumentError('mailbox', `it is ${sealed.peer}'s`);
  if (!descriptorOf(name).equals(sealed.cid)) throw new DocumentError('mailbox', 'the IPNS record names another block');
  return { name, sealed };
}
