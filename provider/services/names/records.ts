import type { PrivateKey } from '@libp2p/interface';
import { createIPNSRecordWithExpiration, marshalIPNSRecord, unmarshalIPNSRecord, type IPNSRecord } from 'ipns';
import { validate } from 'ipns/validator';
import { CID } from 'multiformats/cid';
import { serviceKey } from '../../../sdk/protocol/index.ts';
import { RECORD_TTL_MS } from '../limits.ts';
import { RecordError } from './errors.ts';

/** The IPNS specification's limit. */
export const RECORD_BYTES_MAX = 10 * 1024;
const NS_PER_MS = 1_000_000n;

/** An IPNS record that was checked. */
export interface NameRecord {
  /** IPNS name. */
  name: string;
  bytes: Uint8Array;
  /** What the name stands for: `/ipfs/CID` of a service's descriptor or a mailbox record; of others any content path. */
  value: string;
  sequence: number;
  expiresMs: number;
  ttlMs: number;
}

/** A record that says: this name stands for this descriptor. */
export async function createRecord(
  key: PrivateKey,
  { descriptor, sequence, expiresMs }: { descriptor: CID; sequence: number; expiresMs: number },
): Promise<Uint8Array> {
  const value = `/ipfs/${descriptor.toString()}`;
  const ttlNs = BigInt(RECORD_TTL_MS) * NS_PER_MS;
  const until = new Date(expiresMs).toISOString();
  return marshalIPNSRecord(await createIPNSRecordWithExpiration(key, value, sequence, until, { ttlNs }));
}

/**
 * Decodes a record and checks that it is this name's and valid now.
 * @throws RecordError with the reason
 */
export async function checkRecord(name: string, bytes: Uint8Array, nowMs: number): Promise<NameRecord> {
  const key = serviceKey(name);
  if (bytes.length > RECORD_BYTES_MAX) {
    throw new RecordError(name, 'malformed', `it has ${bytes.length} bytes; ${RECORD_BYTES_MAX} is the limit`);
  }
  const record = decode(name, bytes);
  if (record.pubKey !== undefined && Buffer.compare(record.pubKey, protobufOf(key.raw)) !== 0) {
    throw new RecordError(name, 'wrong key', 'it was made with another key');
  }
  const expiresMs = Date.parse(record.validity);
  if (!Number.isFinite(expiresMs)) throw new RecordError(name, 'malformed', 'its validity is not a time');
  if (expiresMs <= nowMs) throw new RecordError(name, 'expired', `it was valid until ${record.validity}`);
  try {
    await validate(key, bytes);
  } catch (error) {
    throw new RecordError(name, 'wrong signature', (error as Error).message);
  }
  const sequence = Number(record.sequence);
  if (!Number.isSafeInteger(sequence)) throw new RecordError(name, 'malformed', 'its sequence is beyond 2^53');
  const ttlMs = Number((record.ttl ?? 0n) / NS_PER_MS);
  return { name, bytes, value: record.value, sequence, expiresMs, ttlMs };
}

/** True when `record` replaces `known`: a higher sequence, or the same for longer (the IPNS rule). */
export function isNewer(record: NameRecord, known: NameRecord | undefined): boolean {
  if (known === undefined || record.sequence > known.sequence) return true;
  return record.sequence === known.sequence && record.expiresMs > known.expiresMs;
}

/** @throws RecordError when a later record of this name is known */
export function refuseOlder(record: NameRecord, known: NameRecord | undefined): void {
  if (known === undefined || record.sequence >= known.sequence) return;
  throw new RecordError(record.name, 'lower sequence', `it has ${record.sequence}, and ${known.sequence} is known`);
}

/** The document that the record of a service or mailbox names. @throws RecordError no descriptor */
export function descriptorOf({ name, value }: Pick<NameRecord, 'name' | 'value'>): CID {
  const text = value.startsWith('/ipfs/') ? value.slice(6) : '';
  try {
    return CID.parse(text);
  } catch {
    throw new RecordError(name, 'no descriptor', `its value is ${value.slice(0, 200)} and not /ipfs/CID`);
  }
}

function decode(name: string, bytes: Uint8Array): IPNSRecord {
  try {
    return unmarshalIPNSRecord(bytes);
  } catch (error) {
    throw new RecordError(name, 'malformed', (error as Error).message);
  }
}

/** A libp2p public key as protobuf: key type 1, 32 bytes. */
function protobufOf(raw: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([8, 1, 18, 32]), raw]);
}
