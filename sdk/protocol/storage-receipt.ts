import type { PrivateKey } from '@libp2p/interface';
import { CID } from 'multiformats/cid';
import { dagCborCid } from './cids.ts';
import { DocumentError, hasOnly, isCount, openDocument, sealDocument } from './signed.ts';

/** A provider's word that it keeps a DAG for a consumer until then, and what it has charged for it. */
export interface StorageReceipt {
  provider: string;
  consumer: string;
  /** Of the pin: a later receipt of the same pin goes on where this one ends. */
  pin: string;
  root: CID;
  bytes: number;
  fromMs: number;
  untilMs: number;
  priceBytes: number;
}

export interface SealedStorageReceipt {
  cid: CID;
  bytes: Uint8Array;
  receipt: StorageReceipt;
}

const TYPE = 'storage-receipt';
const BYTES_MAX = 4 * 1024;
const PIN_LENGTH_MAX = 64;
const FIELDS = ['version', 'consumer', 'pin', 'root', 'bytes', 'fromMs', 'untilMs', 'priceBytes'];

export async function sealStorageReceipt(
  receipt: Omit<StorageReceipt, 'provider'>,
  key: PrivateKey,
): Promise<SealedStorageReceipt> {
  const bytes = await sealDocument(TYPE, { version: 1, ...receipt }, key);
  return openStorageReceipt(bytes);
}

/** @throws DocumentError */
export async function openStorageReceipt(bytes: Uint8Array): Promise<SealedStorageReceipt> {
  if (bytes.length > BYTES_MAX) throw new DocumentError(TYPE, `it has more than ${BYTES_MAX} bytes`);
  const { payload, signer } = await openDocument(TYPE, bytes);
  hasOnly(TYPE, payload, FIELDS);
  const { version, consumer, pin, bytes: size, fromMs, untilMs, priceBytes } = payload;
  const root = CID.asCID(payload['root']);
  const isWhole =
    version === 1 &&
    root !== null &&
    typeof consumer === 'string' &&
    typeof pin === 'string' &&
    pin.length <= PIN_LENGTH_MAX;
  if (!isWhole || !isCount(size) || !isCount(fromMs) || !isCount(untilMs) || !isCount(priceBytes) || untilMs < fromMs) {
    throw new DocumentError(TYPE, 'a field is missing or of the wrong kind');
  }
  const receipt = { provider: signer, consumer, pin, root, bytes: size, fromMs, untilMs, priceBytes };
  return { cid: dagCborCid(bytes), bytes, receipt };
}
