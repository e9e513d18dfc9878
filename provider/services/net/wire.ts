import { encode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { DocumentError, SERVICE_NAME_LENGTH_MAX } from '../../../sdk/protocol/index.ts';
import { decodeMap, hasOnly, isCount, isMap } from '../../../sdk/protocol/signed.ts';
import { decodeAnswer } from '../../net/index.ts';
import type { MessagesFigures } from '../types.ts';

/** One question on a stream of /workswap/services/1.0.0, a DAG-CBOR map. */
export type Question =
  | { ask: 'resolve'; name: string }
  | { ask: 'host'; record: Uint8Array; descriptor: Uint8Array; order: Uint8Array }
  | { ask: 'rollback'; order: Uint8Array };

/** What is known of a service; `acceptance`, `root` and `commit` come from whoever hosts it. */
export interface ResolveAnswer {
  record: Uint8Array;
  descriptor?: Uint8Array;
  acceptance?: Uint8Array;
  root?: CID;
  commit?: CID;
  /** For the maintainer only: what is not delivered, the newest of it. */
  messages?: MessagesFigures;
}

/** Holdups and messages that were given up, of each. */
export const MESSAGES_SHOWN_MAX = 20;

export interface HostAnswer {
  /** Absent when the descriptor does not name the provider: the service is hosted no more. */
  acceptance?: Uint8Array;
}

export interface RollbackAnswer {
  commit: CID;
  root: CID;
}

export function encodeQuestion(question: Question): Uint8Array {
  return encode(question);
}

/** @throws DocumentError */
export function decodeQuestion(bytes: Uint8Array): Question {
  const map = decodeMap('question', bytes);
  const { ask, name, record, descriptor, order } = map;
  if (ask === 'resolve') {
    hasOnly('question', map, ['ask', 'name']);
    if (typeof name !== 'string' || name.length > SERVICE_NAME_LENGTH_MAX) throw malformed('it has no name');
    return { ask, name };
  }
  if (ask === 'host') {
    hasOnly('question', map, ['ask', 'record', 'descriptor', 'order']);
    return { ask, record: bytesOf(record), descriptor: bytesOf(descriptor), order: bytesOf(order) };
  }
  if (ask !== 'rollback') throw malformed('it asks for nothing that we know');
  hasOnly('question', map, ['ask', 'order']);
  return { ask, order: bytesOf(order) };
}

export function decodeResolveAnswer(bytes: Uint8Array): ResolveAnswer {
  const { record, descriptor, acceptance, root, commit, messages } = decodeAnswer(bytes);
  return {
    record: bytesOf(record),
    ...(descriptor === undefined ? {} : { descriptor: bytesOf(descriptor) }),
    ...(acceptance === undefined ? {} : { acceptance: bytesOf(acceptance) }),
    ...(root === undefined ? {} : { root: cidOf(root) }),
    ...(commit === undefined ? {} : { commit: cidOf(commit) }),
    ...(messages === undefined ? {} : { messages: messagesOf(messages) }),
  };
}

export function decodeHostAnswer(bytes: Uint8Array): HostAnswer {
  const { acceptance } = decodeAnswer(bytes);
  return acceptance === undefined ? {} : { acceptance: bytesOf(acceptance) };
}

export function decodeRollbackAnswer(bytes: Uint8Array): RollbackAnswer {
  const { commit, root } = decodeAnswer(bytes);
  return { commit: cidOf(commit), root: cidOf(root) };
}

function messagesOf(value: unknown): MessagesFigures {
  const { waiting, waitingBytes, holdups, ended } = mapOf(value);
  return {
    waiting: countOf(waiting),
    waitingBytes: countOf(waitingBytes),
    holdups: listOf(holdups).map(({ to, code, reason, attempts, nextMs }) => ({
      ...{ to: textOf(to), code: textOf(code), reason: textOf(reason) },
      ...{ attempts: countOf(attempts), nextMs: countOf(nextMs) },
    })),
    ended: listOf(ended).map(({ id, to, code, reason, timeMs, endedMs }) => ({
      ...{ id: bytesOf(id), to: textOf(to), code: textOf(code), reason: textOf(reason) },
      ...{ timeMs: countOf(timeMs), endedMs: countOf(endedMs) },
    })),
  };
}

function mapOf(value: unknown): Record<string, unknown> {
  if (isMap(value)) return value;
  throw malformed('a field is missing or no map');
}

function listOf(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value) && value.length <= MESSAGES_SHOWN_MAX) return value.map(mapOf);
  throw malformed('a field is missing or no short list');
}

function countOf(value: unknown): number {
  if (isCount(value)) return value;
  throw malformed('a field is missing or no count');
}

/** Whoever shows it writes to a terminal: nothing in it shall command that. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value.replaceAll(/\p{Cc}/gu, ' ');
  throw malformed('a field is missing or no text');
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw malformed('a field is missing or no bytes');
}

function cidOf(value: unknown): CID {
  const cid = CID.asCID(value);
  if (cid === null) throw malformed('a field is missing or no CID');
  return cid;
}

function malformed(reason: string): DocumentError {
  return new DocumentError('message', reason);
}
