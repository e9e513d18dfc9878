/** Whose account pays for keeping the messages of a mailbox. */
export type Payer = 'sender' | 'recipient';

/** What a recipient decides about its mailbox. */
export interface MailboxSettings {
  payer: Payer;
  /** Whose messages are taken: everybody's but those of `blocked`, or only those of `allowed`. */
  accept: 'anyone' | 'allowed';
  allowed: string[];
  blocked: string[];
}

export const DEFAULT_SETTINGS: MailboxSettings = { payer: 'sender', accept: 'anyone', allowed: [], blocked: [] };

/** What became of a message, as its sender may know. */
export type MessageState = 'waiting' | 'acknowledged' | 'expired' | 'unknown';

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

/** What keeping a message costs. */
export interface MailboxRates {
  messagePriceBytes: number;
  storagePriceBytes: number;
}
