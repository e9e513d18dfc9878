/** Whose account pays for keeping the messages of a mailbox. */
export type Payer = 'sender' | 'recipient';

/** What a recipient decides about its mailbox. */
export interface MailboxSettings {
  payer: Payer;
  /** Whose messages are taken: everybody's but those of `blocked`, only those of `allowed`, or none, before it is closed. */
  accept: 'anyone' | 'allowed' | 'nobody';
  allowed: string[];
  blocked: string[];
}

export const DEFAULT_SETTINGS: MailboxSettings = { payer: 'sender', accept: 'anyone', allowed: [], blocked: [] };

/** What became of a message, as its sender may know. */
export type MessageState = 'waiting' | 'acknowledged' | 'closed' | 'expired' | 'unknown';

export interface MessageStatus {
  state: MessageState;
  /** Milliseconds since it came into this state; absent when it is unknown. */
  sinceMs?: number;
}

/** A message without its body, as a recipient lists it. */
export interface MessageHead {
  /** Its place in this provider's order; larger is later. */
  sequence: number;
  /** Peer id of the sender, as the provider saw it. */
  from: string;
  id: Uint8Array;
  /** Length of the body. */
  bytes: number;
  /** How long it has been here. */
  ageMs: number;
  expiresInMs: number;
  /** What the recipient was charged for it; 0 when the sender paid. */
  priceBytes: number;
}

export interface Message extends MessageHead {
  body: Uint8Array;
}

export interface Waiting {
  messages: number;
  bytes: number;
}

/** One mailbox, as its provider sees it. */
export interface MailboxFigures extends Waiting {
  /** Whose it is. */
  peer: string;
  payer: Payer;
  /** How long the first of its messages has waited. */
  oldestMs?: number;
}

/** All that is kept. */
export interface MailboxTotals extends Waiting {
  mailboxes: number;
  files: number;
  filesBytes: number;
}

/** What closing a mailbox ended. */
export interface Closed {
  /** Messages that waited. */
  messages: number;
  /** What their recipient was charged for keeping them. */
  priceBytes: number;
}

/** What keeping a message costs. */
export interface MailboxRates {
  messagePriceBytes: number;
  storagePriceBytes: number;
}
