import { randomBytes } from 'node:crypto';
import type { PrivateKey } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { CborReader, CborWriter, key } from './cbor.ts';
import { dagCborCid } from './cids.ts';
import { BATCH_SIZE_MAX, PATH_MAX, climb, leafHash, merkleTree } from './merkle.ts';
import type { Inclusion, MerkleNodes } from './merkle.ts';
import { DocumentError, signPayload, verifyPayload } from './signed.ts';
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
  /** Root of the service's state that the job saw; for an update that of its commit's `before`. */
  state?: CID;
  /** The commit that holds the update. */
  commit?: CID;
  /** Who pays for the consumer: the peer that asked the provider to host the service. */
  sponsor?: string;
  /** Set when the handler failed; what it burnt until then is charged all the same. */
  error?: string;
}

export interface SealedReceipt {
  cid: CID;
  bytes: Uint8Array;
  receipt: Receipt;
}

const HASH_BYTES = 32;
/** One leaf of a batch is random. */
export const RECEIPTS_PER_BATCH_MAX = BATCH_SIZE_MAX - 1;
const BATCH_DOMAIN = 'receipts';
const RECEIPT_BYTES_MAX = 4 * 1024;
const VERSION = 1;

/**
 * Signs receipts, at most `RECEIPTS_PER_BATCH_MAX`, all with one signature over the Merkle root of their encodings. Each
 * becomes a DAG-CBOR block `{batch: {index, path, size}, receipt, signature}` that anyone can check without the others.
 */
export function sealReceipts(receipts: Receipt[], privateKey: PrivateKey): SealedReceipt[] {
  const encoded = receipts.map(encodeReceipt);
  // A random leaf makes each batch, and so each receipt, unique: two jobs of the very same task are two debts.
  const leaves = [...encoded.map(leafHash), randomBytes(HASH_BYTES)];
  const { root, inclusions } = merkleTree(leaves);
  const signature = signPayload(BATCH_DOMAIN, root, privateKey);
  return receipts.map((receipt, i) => {
    const bytes = encodeSealed(encoded[i]!, inclusions[i]!, signature);
    return { cid: dagCborCid(bytes), bytes, receipt };
  });
}

/** CIDs that whoever opens a receipt has at hand; where the receipt names the same ones, they are not made again. */
export type ExpectedCids = Partial<Pick<Receipt, 'task' | 'handler' | 'input' | 'output' | 'tariff' | 'state'>>;

/**
 * Decodes a receipt block and checks its signature against the provider that it names.
 *
 * @throws DocumentError
 */
export function openReceipt(bytes: Uint8Array): SealedReceipt {
  return new ReceiptOpener().open(bytes);
}

/** Opens many receipts: those of one batch share a signature and most of their proofs, which are checked once. */
export class ReceiptOpener {
  #batch: { signature: Uint8Array; provider: string; size: number; nodes: MerkleNodes } | undefined;

  /** @throws DocumentError */
  open(bytes: Uint8Array, expected: ExpectedCids = {}): SealedReceipt {
    if (bytes.length > RECEIPT_BYTES_MAX) {
      throw new DocumentError('receipt', `it has more than ${RECEIPT_BYTES_MAX} bytes`);
    }
    const { receipt, encoded, inclusion, signature } = decodeSealed(bytes, expected);
    if (!this.#isSigned(leafHash(encoded), inclusion, signature, receipt.provider)) {
      throw new DocumentError('receipt', `the signature is not ${receipt.provider}'s`);
    }
    return { cid: dagCborCid(bytes), bytes, receipt };
  }

  #isSigned(leaf: Uint8Array, inclusion: Inclusion, signature: Uint8Array, provider: string): boolean {
    const { size } = inclusion;
    const last = this.#batch;
    const isSame = last?.size === size && last.provider === provider && Buffer.compare(last.signature, signature) === 0;
    const batch = isSame ? last : { signature, provider, size, nodes: new Map() };
    const climbed = climb(leaf, inclusion, batch.nodes);
    if (climbed === undefined) return false;
    const { root } = climbed;
    if (root !== undefined && !verifyPayload(BATCH_DOMAIN, root, signature, provider)) return false;
    for (const [place, hash] of climbed.nodes) batch.nodes.set(place, hash);
    this.#batch = batch;
    return true;
  }
}

// Keys in the order in which DAG-CBOR writes them: shorter first, then by bytes.
const BATCH = key('batch');
const PATH = key('path');
const SIZE = key('size');
const INDEX = key('index');
const RECEIPT = key('receipt');
const SIGNATURE = key('signature');
const TASK = key('task');
const ERROR = key('error');
const INPUT = key('input');
const STATE = key('state');
const USAGE = key('usage');
const COMMIT = key('commit');
const OUTPUT = key('output');
const TARIFF = key('tariff');
const HANDLER = key('handler');
const SPONSOR = key('sponsor');
const VERSION_KEY = key('version');
const CONSUMER = key('consumer');
const PROVIDER = key('provider');
const PRICE = key('priceBytes');
const METER = key('meterVersion');
const COUNTS = (
  ['fuel', 'readBytes', 'inputBytes', 'outputBytes', 'writtenBytes', 'compiledBytes', 'memoryPagesPeak'] as const
).map((name) => ({ name, encoded: key(name) }));

function encodeSealed(encoded: Uint8Array, { index, path, size }: Inclusion, signature: Uint8Array): Uint8Array {
  const writer = new CborWriter().map(3).raw(BATCH).map(3).raw(PATH).list(path.length);
  for (const hash of path) writer.bytes(hash);
  writer.raw(SIZE).uint(size).raw(INDEX).uint(index);
  return writer.raw(RECEIPT).raw(encoded).raw(SIGNATURE).bytes(signature).finish();
}

function decodeSealed(
  bytes: Uint8Array,
  expected: ExpectedCids,
): {
  receipt: Receipt;
  encoded: Uint8Array;
  inclusion: Inclusion;
  signature: Uint8Array;
} {
  try {
    const reader = new CborReader(bytes);
    reader.map(3);
    reader.key(BATCH);
    reader.map(3);
    reader.key(PATH);
    const path = Array.from({ length: reader.listSize(PATH_MAX) }, () => reader.bytes());
    reader.key(SIZE);
    const size = reader.uint();
    reader.key(INDEX);
    const index = reader.uint();
    reader.key(RECEIPT);
    const start = reader.offset;
    const receipt = decodeReceipt(reader, expected);
    const encoded = bytes.subarray(start, reader.offset);
    reader.key(SIGNATURE);
    const signature = reader.bytes();
    reader.end();
    if (size > BATCH_SIZE_MAX) throw new Error(`a batch of ${size} is larger than ${BATCH_SIZE_MAX}`);
    return { receipt, encoded, inclusion: { index, size, path }, signature };
  } catch (error) {
    throw new DocumentError('receipt', (error as Error).message);
  }
}

/** Fields of every receipt; `error`, `state`, `commit` and `sponsor` come on top. */
const FIELDS_ALWAYS = 11;

function encodeReceipt(receipt: Receipt): Uint8Array {
  const { error, state, usage, commit, sponsor } = receipt;
  const optional = [error, state, commit, sponsor].filter((value) => value !== undefined).length;
  const writer = new CborWriter()
    .map(FIELDS_ALWAYS + optional)
    .raw(TASK)
    .cid(receipt.task);
  if (error !== undefined) writer.raw(ERROR).text(error);
  writer.raw(INPUT).cid(receipt.input);
  if (state !== undefined) writer.raw(STATE).cid(state);
  writer.raw(USAGE).map(COUNTS.length);
  for (const { name, encoded } of COUNTS) writer.raw(encoded).uint(usage[name]);
  if (commit !== undefined) writer.raw(COMMIT).cid(commit);
  writer.raw(OUTPUT).cid(receipt.output).raw(TARIFF).cid(receipt.tariff).raw(HANDLER).cid(receipt.handler);
  if (sponsor !== undefined) writer.raw(SPONSOR).text(sponsor);
  writer.raw(VERSION_KEY).uint(VERSION).raw(CONSUMER).text(receipt.consumer).raw(PROVIDER).text(receipt.provider);
  return writer.raw(PRICE).uint(receipt.priceBytes).raw(METER).text(receipt.meterVersion).finish();
}

function decodeReceipt(reader: CborReader, expected: ExpectedCids): Receipt {
  const after = <T>(encoded: Uint8Array, read: () => T): T => {
    reader.key(encoded);
    return read();
  };
  const fields = reader.mapSize();
  const task = after(TASK, () => reader.cid(expected.task));
  const error = reader.tryKey(ERROR) ? reader.text() : undefined;
  const input = after(INPUT, () => reader.cid(expected.input));
  const state = reader.tryKey(STATE) ? reader.cid(expected.state) : undefined;
  const usage = after(USAGE, () => decodeUsage(reader));
  const commit = reader.tryKey(COMMIT) ? reader.cid() : undefined;
  const output = after(OUTPUT, () => reader.cid(expected.output));
  const tariff = after(TARIFF, () => reader.cid(expected.tariff));
  const handler = after(HANDLER, () => reader.cid(expected.handler));
  const sponsor = reader.tryKey(SPONSOR) ? reader.text() : undefined;
  const optional = [error, state, commit, sponsor].filter((value) => value !== undefined).length;
  if (fields !== FIELDS_ALWAYS + optional) throw new Error(`a receipt has not ${fields} fields`);
  const version = after(VERSION_KEY, () => reader.uint());
  if (version !== VERSION) throw new Error(`version ${version} is not known`);
  const consumer = after(CONSUMER, () => reader.text());
  const provider = after(PROVIDER, () => reader.text());
  const priceBytes = after(PRICE, () => reader.uint());
  const meterVersion = after(METER, () => reader.text());
  const receipt: Receipt = {
    task,
    handler,
    input,
    output,
    usage,
    priceBytes,
    tariff,
    meterVersion,
    provider,
    consumer,
  };
  if (error !== undefined) receipt.error = error;
  if (state !== undefined) receipt.state = state;
  if (commit !== undefined) receipt.commit = commit;
  if (sponsor !== undefined) receipt.sponsor = sponsor;
  return receipt;
}

function decodeUsage(reader: CborReader): Usage {
  const usage = {} as Usage;
  reader.map(COUNTS.length);
  for (const { name, encoded } of COUNTS) {
    reader.key(encoded);
    usage[name] = reader.uint();
  }
  return usage;
}
