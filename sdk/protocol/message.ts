import type { CID } from 'multiformats/cid';
import { CborReader, CborWriter, key } from './cbor.ts';
import { sha256 } from './cids.ts';
import { leafHash, merkleTree } from './merkle.ts';
import { FOLLOW_UPS_MAX, MESSAGE_BODY_BYTES_MAX, SERVICE_MESSAGE_ID_BYTES } from './message-limits.ts';
import { recipientKind } from './recipient.ts';
import { DocumentError } from './signed.ts';

/** A message that a service's handler sent, or a peer to a service. Its DAG-CBOR is what a peer finds in its mailbox. */
export interface ServiceMessage {
  /** Of a service's message the beginning of a hash over the update's task and the message's place in it. */
  id: Uint8Array;
  /** IPNS name of the service that sent it, or peer id. */
  from: string;
  /** IPNS name of a service, or peer id. */
  to: string;
  /** The sending update's time, milliseconds since 1970. */
  timeMs: number;
  /** How many messages may follow from it, altogether. */
  followUps: number;
  body: Uint8Array;
}

/** Everything but the body. */
const DOCUMENT_BYTES_MAX = MESSAGE_BODY_BYTES_MAX + 512;

const ID = key('id');
const TO = key('to');
const BODY = key('body');
const FROM = key('from');
const TIME = key('timeMs');
const VERSION = key('version');
const FOLLOW_UPS = key('followUps');

/** What a handler asked to be sent. */
export interface Outgoing {
  to: string;
  body: Uint8Array;
}

/**
 * The messages of an update, which follow from its task alone: so whoever runs it again makes the same.
 * @param followUps how many may follow from what the update was caused by; undefined when that was no message
 */
export function messagesOf(
  task: CID,
  { service, timeMs, followUps }: { service: string; timeMs: number; followUps: number | undefined },
  sent: readonly Outgoing[],
): ServiceMessage[] {
  const left = followUps === undefined ? FOLLOW_UPS_MAX : Math.floor((followUps - sent.length) / sent.length);
  return sent.map(({ to, body }, i) => {
    const place = Uint8Array.of(i >>> 8, i);
    const id = sha256(task.bytes, place).subarray(0, SERVICE_MESSAGE_ID_BYTES);
    return { id, from: service, to, timeMs, followUps: left, body };
  });
}

/** The DAG-CBOR map `{id, to, body, from, timeMs, version, followUps}`. */
export function encodeMessage({ id, from, to, timeMs, followUps, body }: ServiceMessage): Uint8Array {
  const writer = new CborWriter().map(7).raw(ID).bytes(id).raw(TO).text(to).raw(BODY).bytes(body).raw(FROM).text(from);
  return writer.raw(TIME).uint(timeMs).raw(VERSION).uint(1).raw(FOLLOW_UPS).uint(followUps).finish();
}

/** @throws DocumentError when it is no message in its one encoding, or over a limit */
export function decodeMessage(bytes: Uint8Array): ServiceMessage {
  if (bytes.length > DOCUMENT_BYTES_MAX) throw invalid(`it has more than ${DOCUMENT_BYTES_MAX} bytes`);
  try {
    return readMessage(new CborReader(bytes));
  } catch (error) {
    throw error instanceof DocumentError ? error : invalid((error as Error).message);
  }
}

function readMessage(reader: CborReader): ServiceMessage {
  reader.map(7);
  reader.key(ID);
  const id = reader.bytes();
  reader.key(TO);
  const to = reader.text();
  reader.key(BODY);
  const body = reader.bytes();
  reader.key(FROM);
  const from = reader.text();
  reader.key(TIME);
  const timeMs = reader.uint();
  reader.key(VERSION);
  const version = reader.uint();
  reader.key(FOLLOW_UPS);
  const followUps = reader.uint();
  reader.end();
  if (version !== 1) throw invalid(`version ${version} is not known`);
  const message = { id, from, to, timeMs, followUps, body };
  checkMessage(message);
  return message;
}

/** @throws DocumentError */
export function checkMessage({ id, from, to, followUps, body }: ServiceMessage): void {
  if (id.length !== SERVICE_MESSAGE_ID_BYTES) throw invalid(`its id has not ${SERVICE_MESSAGE_ID_BYTES} bytes`);
  if (recipientKind(from) === undefined) throw invalid('it is from neither a service nor a peer');
  if (recipientKind(to) === undefined) throw invalid('it is to neither a service nor a peer');
  if (followUps > FOLLOW_UPS_MAX) throw invalid(`more than ${FOLLOW_UPS_MAX} messages may follow from it`);
  if (body.length > MESSAGE_BODY_BYTES_MAX) throw invalid(`its body has more than ${MESSAGE_BODY_BYTES_MAX} bytes`);
}

export function messageHash(encoded: Uint8Array): Uint8Array {
  return leafHash(encoded);
}

/** What a commit says of the messages that its updates sent: the Merkle root over their hashes, at most 1,024, in order. */
export function messagesRoot(hashes: Uint8Array[]): Uint8Array {
  return merkleTree(hashes).root;
}

function invalid(reason: string): DocumentError {
  return new DocumentError('message', reason);
}
