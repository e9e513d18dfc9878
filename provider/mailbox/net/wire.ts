import { encode } from '@ipld/dag-cbor';
import { peerIdFromString } from '@libp2p/peer-id';
import { CID } from 'multiformats/cid';
import { CID_BYTES_MAX, DocumentError } from '../../../sdk/protocol/index.ts';
import { decodeMap, hasOnly, isCount, isMap } from '../../../sdk/protocol/signed.ts';
import { refusalFields } from '../../net/index.ts';
import { MailboxError } from '../errors.ts';
import { MESSAGE_BYTES_MAX, MESSAGE_ID_BYTES, PAGE_BYTES_MAX, PAGE_MESSAGES_MAX, RULES_MAX } from '../limits.ts';
import type { MailboxSettings, Payer } from '../types.ts';
import { ACKNOWLEDGE_MAX, PEER_TEXT_MAX, STATUS_IDS_MAX } from './constants.ts';

/** What a peer asks on a stream of /workswap/mailbox/1.0.0: a DAG-CBOR map with `id`, which the answer carries too. */
export type Question =
  | { ask: 'rates' }
  | { ask: 'close' }
  | { ask: 'open'; settings: MailboxSettings; record?: Uint8Array; document?: Uint8Array }
  | { ask: 'put'; to: string; message: Uint8Array; body: Uint8Array; ttlMs: number; priceMaxBytes: number }
  | { ask: 'hold'; to: string; root: CID; bytes: number; ttlMs: number; priceMaxBytes: number }
  | { ask: 'list'; after: number; limit: number }
  | { ask: 'take'; limit: number; bytesMax: number }
  | { ask: 'acknowledge'; sequences: number[] }
  | { ask: 'status'; to: string; messages: Uint8Array[] };

export function encodeQuestion(id: number, question: Question): Uint8Array {
  return encode({ id, ...question });
}

/** A question that cannot be answered, with its id where it has one. */
export class BadQuestionError extends MailboxError {
  readonly id: number;

  constructor(id: number, reason: string) {
    super('BAD_REQUEST', `This is no question about a mailbox: ${reason}`);
    this.id = id;
  }
}

/** @throws BadQuestionError */
export function decodeQuestion(bytes: Uint8Array): { id: number; question: Question } {
  let id = 0;
  try {
    const map = decodeMap('question', bytes);
    if (!isCount(map['id'])) throw malformed('it has no id');
    id = map['id'];
    return { id, question: toQuestion(map) };
  } catch (error) {
    throw new BadQuestionError(id, (error as Error).message);
  }
}

function toQuestion(map: Record<string, unknown>): Question {
  const { ask } = map;
  const only = (...fields: string[]): void => hasOnly('question', map, ['id', 'ask', ...fields]);
  switch (ask) {
    case 'rates':
    case 'close':
      only();
      return { ask };
    case 'open': {
      only('settings', 'record', 'document');
      const { settings, record, document } = map;
      if (record === undefined || document === undefined) return { ask, settings: settingsOf(settings) };
      return { ask, settings: settingsOf(settings), record: bytesOf(record), document: bytesOf(document) };
    }
    case 'put': {
      only('to', 'message', 'body', 'ttlMs', 'priceMaxBytes');
      const body = bytesOf(map['body']);
      if (body.length > MESSAGE_BYTES_MAX) throw malformed(`a message has at most ${MESSAGE_BYTES_MAX} bytes`);
      const message = messageIdOf(map['message']);
      return {
        ask,
        to: peerOf(map['to']),
        message,
        body,
        ttlMs: countOf(map['ttlMs']),
        priceMaxBytes: countOf(map['priceMaxBytes']),
      };
    }
    case 'hold': {
      only('to', 'root', 'bytes', 'ttlMs', 'priceMaxBytes');
      const root = CID.asCID(map['root']);
      if (root === null || root.bytes.length > CID_BYTES_MAX) throw malformed('it names no file');
      return {
        ask,
        to: peerOf(map['to']),
        root,
        bytes: countOf(map['bytes']),
        ttlMs: countOf(map['ttlMs']),
        priceMaxBytes: countOf(map['priceMaxBytes']),
      };
    }
    case 'list':
      only('after', 'limit');
      return { ask, after: countOf(map['after']), limit: countOf(map['limit'], PAGE_MESSAGES_MAX) };
    case 'take':
      only('limit', 'bytesMax');
      return {
        ask,
        limit: countOf(map['limit'], PAGE_MESSAGES_MAX),
        bytesMax: countOf(map['bytesMax'], PAGE_BYTES_MAX),
      };
    case 'acknowledge':
      only('sequences');
      return { ask, sequences: listOf(map['sequences'], ACKNOWLEDGE_MAX).map((value) => countOf(value)) };
    case 'status':
      only('to', 'messages');
      return {
        ask,
        to: peerOf(map['to']),
        messages: listOf(map['messages'], STATUS_IDS_MAX).map(messageIdOf),
      };
    default:
      throw malformed('it asks for nothing that we know');
  }
}

export function encodeAnswer(id: number, ok: object): Uint8Array {
  return encode({ id, ok });
}

export function encodeRefusal(id: number, error: unknown): Uint8Array {
  return encode({ id, error: refusalFields(error) });
}

function settingsOf(value: unknown): MailboxSettings {
  if (!isMap(value)) throw malformed('it has no settings');
  hasOnly('settings', value, ['payer', 'accept', 'allowed', 'blocked']);
  const { payer, accept } = value;
  if (payer !== 'sender' && payer !== 'recipient') throw malformed('payer is sender or recipient');
  if (accept !== 'anyone' && accept !== 'allowed' && accept !== 'nobody') {
    throw malformed('accept is anyone, allowed or nobody');
  }
  const allowed = listOf(value['allowed'], RULES_MAX).map(peerOf);
  const blocked = listOf(value['blocked'], RULES_MAX).map(peerOf);
  return { payer: payer satisfies Payer, accept, allowed, blocked };
}

/** Peer ids that were looked at last: to decode one takes longer than the rest of a question. */
const peers = new Set<string>();
const PEERS_MAX = 4_096;

/** A peer id in its one canonical spelling: two spellings would be two mailboxes. */
export function peerOf(value: unknown): string {
  if (typeof value !== 'string' || value.length > PEER_TEXT_MAX || !isPeer(value)) {
    throw malformed('a peer id is missing or malformed');
  }
  return value;
}

function isPeer(text: string): boolean {
  if (peers.has(text)) return true;
  try {
    if (peerIdFromString(text).toString() !== text) return false;
  } catch {
    return false;
  }
  if (peers.size >= PEERS_MAX) peers.clear();
  peers.add(text);
  return true;
}

export function messageIdOf(value: unknown): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes.length !== MESSAGE_ID_BYTES) throw malformed(`a message's id has ${MESSAGE_ID_BYTES} bytes`);
  return bytes;
}

export function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw malformed('a field is missing or no bytes');
}

export function countOf(value: unknown, max: number = Number.MAX_SAFE_INTEGER): number {
  if (isCount(value) && value <= max) return value;
  throw malformed(`a field is missing or no whole number up to ${max}`);
}

export function listOf(value: unknown, max: number): unknown[] {
  if (Array.isArray(value) && value.length <= max) return value;
  throw malformed(`a field is missing or no list of at most ${max}`);
}

export function malformed(reason: string): DocumentError {
  return new DocumentError('message', reason);
}
