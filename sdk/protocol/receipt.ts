import { encode } from '@ipld/dag-cbor';
import type { PrivateKey } from '@libp2p/interface';
import { CID } from 'multiformats/cid';
import { dagCborCid } from './cids.ts';
import { BATCH_SIZE_MAX, leafHash, merkleRoot, merkleTree } from './merkle.ts';
import type { Inclusion } from './merkle.ts';
import { DocumentError, decodeMap, isCount, isMap, signPayload, verifyPayload } from './signed.ts';
import type { Usage } from './tariff.ts';

/** What a provider states about one finished job. Everything here can be checked by running the task again. */
export interface Receipt {
  task: CID;
  handler: CID;
  input: CID;
  /** CID (raw, sha2-256) of the response head followed by the response body. */
  output: CID;
  usage: Usage;
  priceBytes: number;
  tariff: CID;
  /** Version of the metering rules and host ABI that the fuel was counted under. */
  meterVersion: string;
  provider: string;
  consumer: string;
  /** Set when the handler failed; what it burnt until then is charged all the same. */
  error?: string;
}

export interface SealedReceipt {
  cid: CID;
  bytes: Uint8Array;
  receipt: Receipt;
}

const BATCH_DOMAIN = 'receipts';
const RECEIPT_BYTES_MAX = 4 * 1024;

/**
 * Signs receipts, all with one signature over the Merkle root of their encodings. Each becomes a DAG-CBOR block
 * `{batch: {index, path, size}, receipt, signature}` that anyone can check without the others.
 */
export async function sealReceipts(receipts: Receipt[], key: PrivateKey): Promise<SealedReceipt[]> {
  const { root, inclusions } = merkleTree(receipts.map((receipt) => leafHash(encodeReceipt(receipt))));
  const signature = await signPayload(BATCH_DOMAIN, root, key);
  return receipts.map((receipt, i) => {
    const bytes = encode({ batch: inclusions[i]!, receipt: payloadOf(receipt), signature });
    return { cid: dagCborCid(bytes), bytes, receipt };
  });
}

/** Decodes a receipt block and checks its signature against the provider that it names. */
export async function openReceipt(
  bytes: Uint8Array,
  isSigned: (root: Uint8Array, signature: Uint8Array, provider: string) => Promise<boolean> = isRootSigned,
): Promise<SealedReceipt> {
  if (bytes.length > RECEIPT_BYTES_MAX)
    throw new DocumentError('receipt', `it has more than ${RECEIPT_BYTES_MAX} bytes`);
  const document = decodeMap('receipt', bytes);
  const receipt = checkReceipt(document['receipt']);
  const { signature } = document;
  if (!(signature instanceof Uint8Array)) throw new DocumentError('receipt', 'it has no signature');
  const root = merkleRoot(leafHash(encodeReceipt(receipt)), checkInclusion(document['batch']));
  if (root === undefined || !(await isSigned(root, signature, receipt.provider))) {
    throw new DocumentError('receipt', `the signature is not ${receipt.provider}'s`);
  }
  return { cid: dagCborCid(bytes), bytes, receipt };
}

export async function isRootSigned(root: Uint8Array, signature: Uint8Array, provider: string): Promise<boolean> {
  return verifyPayload(BATCH_DOMAIN, root, signature, provider);
}

function payloadOf(receipt: Receipt): Record<string, unknown> {
  return { version: 1, ...receipt };
}

function encodeReceipt(receipt: Receipt): Uint8Array {
  return encode(payloadOf(receipt));
}

function checkInclusion(value: unknown): Inclusion {
  if (!isMap(value)) throw new DocumentError('receipt', 'it has no batch');
  const { index, size, path } = value;
  const isPath = Array.isArray(path) && path.every((hash) => hash instanceof Uint8Array);
  if (!isCount(index) || !isCount(size) || size > BATCH_SIZE_MAX || !isPath) {
    throw new DocumentError('receipt', 'its batch is malformed');
  }
  return { index, size, path };
}

const USAGE: (keyof Usage)[] = ['compiledBytes', 'inputBytes', 'outputBytes', 'readBytes', 'fuel', 'memoryPagesPeak'];

function checkReceipt(value: unknown): Receipt {
  if (!isMap(value)) throw new DocumentError('receipt', 'it has no receipt');
  const cid = (name: string): CID => {
    const found = CID.asCID(value[name]);
    if (found === null) throw new DocumentError('receipt', `${name} is not a CID`);
    return found;
  };
  const text = (name: string): string => {
    const found = value[name];
    if (typeof found !== 'string') throw new DocumentError('receipt', `${name} is not a string`);
    return found;
  };
  const usage = value['usage'];
  if (value['version'] !== 1) throw new DocumentError('receipt', `version ${String(value['version'])} is not known`);
  if (!isMap(usage)) throw new DocumentError('receipt', 'it has no usage');
  const checked = {} as Usage;
  for (const name of USAGE) {
    const count = usage[name];
    if (!isCount(count)) throw new DocumentError('receipt', `usage.${name} is not a count`);
    checked[name] = count;
  }
  const priceBytes = value['priceBytes'];
  if (!isCount(priceBytes)) throw new DocumentError('receipt', 'priceBytes is not a count');
  const receipt: Receipt = {
    task: cid('task'),
    handler: cid('handler'),
    input: cid('input'),
    output: cid('output'),
    usage: checked,
    priceBytes,
    tariff: cid('tariff'),
    meterVersion: text('meterVersion'),
    provider: text('provider'),
    consumer: text('consumer'),
  };
  if (value['error'] !== undefined) receipt.error = text('error');
  return receipt;
}
