import { peerIdFromString } from '@libp2p/peer-id';
import { MailError } from './errors.ts';
import type { Contact, MailStore } from './store.ts';

/** The peer id behind a contact's name, or a peer id as it is. @throws MailError CONTACT_UNKNOWN */
export function peerOf(store: MailStore, nameOrPeer: string): string {
  const contact = store.contact(nameOrPeer);
  if (contact !== undefined) return contact.peer;
  if (isPeerId(nameOrPeer)) return nameOrPeer;
  const what = nameOrPeer.slice(0, 100);
  throw new MailError(
    'CONTACT_UNKNOWN',
    `"${what}" is neither a contact nor a peer id. "workswap mail contacts add ${what} PEER-ID" adds one.`,
  );
}

/** @throws MailError CONTACT_INVALID, CONTACT_EXISTS */
export function addContact(store: MailStore, name: string, peer: string): Contact {
  if (!isPeerId(peer))
    throw new MailError('CONTACT_INVALID', `${peer.slice(0, 100)} is not a peer id; it looks like 12D3Koo...`);
  const contact = { name, peer, isVerified: false };
  store.addContact(contact);
  return contact;
}

/** What its owner told us on another way has to be the peer id that we have. @throws MailError KEY_MISMATCH */
export function verifyContact(store: MailStore, name: string, told: string): Contact {
  const contact = store.contact(name);
  if (contact === undefined) throw new MailError('CONTACT_UNKNOWN', `There is no contact "${name.slice(0, 100)}".`);
  if (contact.peer !== told.replaceAll(/\s/g, '')) {
    throw new MailError(
      'KEY_MISMATCH',
      `The contact ${name} has another peer id: ${contact.peer}. One of the two is not theirs.`,
    );
  }
  store.setVerified(contact.peer);
  return { ...contact, isVerified: true };
}

function isPeerId(text: string): boolean {
  try {
    return peerIdFromString(text).toString() === text;
  } catch {
    return false;
  }
}
