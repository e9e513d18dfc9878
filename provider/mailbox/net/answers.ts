import { decodeMap, isMap } from '../../../sdk/protocol/signed.ts';
import { refusalOf, type RefusedError } from '../../net/index.ts';
import { MESSAGE_BYTES_MAX, PAGE_MESSAGES_MAX } from '../limits.ts';
import type { Closed, MailboxRates, Message, MessageHead, MessageState, MessageStatus, Waiting } from '../types.ts';
import { STATUS_IDS_MAX } from './constants.ts';
import { bytesOf, countOf, listOf, malformed, messageIdOf, peerOf } from './wire.ts';

type Fields = Record<string, unknown>;

const STATES: readonly MessageState[] = ['waiting', 'acknowledged', 'closed', 'expired', 'unknown'];

/** What became of a put. */
export interface PutAnswer {
  state: MessageState;
  /** What the sender was charged. */
  priceBytes: number;
}

/** @throws DocumentError when it is no answer */
export function decodeAnswer(bytes: Uint8Array): { id: number; ok: Fields } | { id: number; error: RefusedError } {
  const { id, ok, error } = decodeMap('answer', bytes);
  const answered = countOf(id);
  if (isMap(ok)) return { id: answered, ok };
  return { id: answered, error: refusalOf(error) };
}

export function ratesOf(ok: Fields): MailboxRates {
  return {
    messagePriceBytes: countOf(ok['messagePriceBytes']),
    storagePriceBytes: countOf(ok['storagePriceBytes']),
  };
}

export function putAnswerOf(ok: Fields): PutAnswer {
  return { state: stateOf(ok['state']), priceBytes: countOf(ok['priceBytes']) };
}

export function listAnswerOf(ok: Fields): { messages: MessageHead[]; waiting: Waiting } {
  const messages = listOf(ok['messages'], PAGE_MESSAGES_MAX).map((value) => headOf(fieldsOf(value)));
  return { messages, waiting: { messages: countOf(ok['waiting']), bytes: countOf(ok['waitingBytes']) } };
}

export function takeAnswerOf(ok: Fields): { messages: Message[]; more: boolean } {
  const messages = listOf(ok['messages'], PAGE_MESSAGES_MAX).map((value): Message => {
    const fields = fieldsOf(value);
    const body = bytesOf(fields['body']);
    if (body.length > MESSAGE_BYTES_MAX) throw malformed('a message is too large');
    return { ...headOf({ ...fields, bytes: body.length }), body };
  });
  return { messages, more: ok['more'] === true };
}

export function acknowledgeAnswerOf(ok: Fields): number {
  return countOf(ok['acknowledged']);
}

export function closeAnswerOf(ok: Fields): Closed {
  return { messages: countOf(ok['messages']), priceBytes: countOf(ok['priceBytes']) };
}

export function statusAnswerOf(ok: Fields): MessageStatus[] {
  return listOf(ok['messages'], STATUS_IDS_MAX).map((value) => {
    const { state, sinceMs } = fieldsOf(value);
    return { state: stateOf(state), ...(sinceMs === undefined ? {} : { sinceMs: countOf(sinceMs) }) };
  });
}

function headOf(fields: Fields): MessageHead {
  return {
    sequence: countOf(fields['sequence']),
    from: peerOf(fields['from']),
    id: messageIdOf(fields['id']),
    bytes: countOf(fields['bytes']),
    ageMs: countOf(fields['ageMs']),
    expiresInMs: countOf(fields['expiresInMs']),
    priceBytes: countOf(fields['priceBytes']),
  };
}

function fieldsOf(value: unknown): Fields {
  if (isMap(value)) return value;
  throw malformed('an entry is no map');
}

function stateOf(value: unknown): MessageState {
  const state = STATES.find((known) => known === value);
  if (state === undefined) throw malformed('a state is not known');
  return state;
}
