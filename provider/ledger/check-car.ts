import { decode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';

import {
  dagCborCid,
  FrameReader,
  openStorageReceipt,
  ReceiptOpener,
  WorkswapError,
  type Receipt,
} from '../../sdk/protocol/index.ts';
import { openStatement, type AccountStatement } from './statement.ts';

/** The header names a root of 40 bytes for each account; everything else is far smaller. */
const SECTION_BYTES_MAX = 8 * 1024 * 1024;
const PROBLEMS_MAX = 100;

/** What a file of statements and receipts proves. */
export interface CheckedCar {
  /** One for each account, with the receipts in the file that count for it. */
  statements: CheckedStatement[];
  receipts: number;
  /** Receipts that statements list and the file does not have: pruned, or older than the export goes back. */
  missing: number;
  /** What does not hold, at most 100. None: every signature and every sum is right. */
  problems: string[];
}

export interface CheckedStatement {
  issuer: string;
  subject: string;
  timeMs: number;
  workSent: number;
  workRecv: number;
  /** How much of `workSent` and `workRecv` is proven by receipts in the file. */
  provenSent: number;
  provenRecv: number;
}

/**
 * Checks a CAR file of statements and receipts, block by block: CIDs, signatures, parties, prices and sums. Needs no
 * ledger and no network.
 * @throws WorkswapError NOT_A_CAR when the file has no header or ends in the middle
 */
export async function checkCar(chunks: AsyncIterable<Uint8Array>): Promise<CheckedCar> {
  const check = new CarCheck();
  const reader = new FrameReader(SECTION_BYTES_MAX);
  const sections: Uint8Array[] = [];
  let given = 0;
  let taken = 0;
  for await (const chunk of chunks) {
    given += chunk.length;
    try {
      reader.push(chunk, (section) => sections.push(section));
    } catch (error) {
      throw notACar((error as Error).message);
    }
    for (const section of sections.splice(0)) {
      taken += section.length + lengthBytes(section.length);
      await check.add(section);
    }
  }
  if (given !== taken || given === 0) throw notACar('it ends in the middle of a block');
  return check.result();
}

class CarCheck {
  #roots: Set<string> | undefined;
  readonly #accounts = new Map<string, { stated: AccountStatement; checked: CheckedStatement }>();
  /** Receipts that a statement lists, still to be seen. */
  readonly #listed = new Map<string, { priceBytes: number; given: boolean; account: string }>();
  readonly #seen = new Set<string>();
  readonly #opener = new ReceiptOpener();
  readonly #problems: string[] = [];
  #receipts = 0;

  async add(section: Uint8Array): Promise<void> {
    if (this.#roots === undefined) {
      this.#roots = rootsOf(section);
      return;
    }
    let cid: CID;
    let bytes: Uint8Array;
    try {
      [cid, bytes] = CID.decodeFirst(section);
    } catch {
      throw notACar('a block has no CID');
    }
    const name = cid.toString();
    if (!dagCborCid(bytes).equals(cid)) this.#problem(`${name} is not the CID of its block`);
    else if (this.#seen.has(name)) this.#problem(`${name} is there twice`);
    else if (this.#roots.has(name)) await this.#addStatement(name, bytes);
    else await this.#addReceipt(name, bytes);
    this.#seen.add(name);
  }

  result(): CheckedCar {
    if (this.#roots === undefined) throw notACar('it is empty');
    for (const root of this.#roots) if (!this.#seen.has(root)) this.#problem(`the statement ${root} is not there`);
    const statements = [...this.#accounts.values()].map(({ checked }) => checked);
    for (const { issuer, subject, workSent, workRecv, provenSent, provenRecv } of statements) {
      if (provenSent > workSent || provenRecv > workRecv) {
        this.#problem(`${issuer} states less work about ${subject} than its receipts prove`);
      }
    }
    return { statements, receipts: this.#receipts, missing: this.#listed.size, problems: this.#problems };
  }

  async #addStatement(name: string, bytes: Uint8Array): Promise<void> {
    try {
      const stated = await openStatement(bytes);
      const { issuer, subject, timeMs, workSent, workRecv, receipts } = stated;
      const account = accountOf(issuer, subject);
      if (this.#accounts.has(account)) throw new Error(`it is the second one about ${subject}`);
      const checked = { issuer, subject, timeMs, workSent, workRecv, provenSent: 0, provenRecv: 0 };
      this.#accounts.set(account, { stated, checked });
      for (const { cid, priceBytes, given } of receipts) {
        this.#listed.set(cid.toString(), { priceBytes, given, account });
      }
    } catch (error) {
      this.#problem(`the statement ${name} does not hold: ${(error as Error).message}`);
    }
  }

  /** Of a job, or for storage. */
  async #open(bytes: Uint8Array): Promise<Pick<Receipt, 'provider' | 'consumer' | 'priceBytes'>> {
    try {
      return this.#opener.open(bytes).receipt;
    } catch (error) {
      const storage = await openStorageReceipt(bytes).catch(() => undefined);
      if (storage === undefined) throw error;
      return storage.receipt;
    }
  }

  async #addReceipt(name: string, bytes: Uint8Array): Promise<void> {
    let receipt: Pick<Receipt, 'provider' | 'consumer' | 'priceBytes'>;
    try {
      receipt = await this.#open(bytes);
    } catch (error) {
      this.#problem(`the receipt ${name} does not hold: ${(error as Error).message}`);
      return;
    }
    this.#receipts += 1;
    const { provider, consumer, priceBytes } = receipt;
    const sent = this.#accounts.get(accountOf(provider, consumer));
    const received = this.#accounts.get(accountOf(consumer, provider));
    if (sent === undefined && received === undefined) {
      this.#problem(`the receipt ${name} belongs to no statement of the file`);
    }
    if (sent !== undefined) sent.checked.provenSent += priceBytes;
    if (received !== undefined) received.checked.provenRecv += priceBytes;
    const listed = this.#listed.get(name);
    if (listed === undefined) return;
    this.#listed.delete(name);
    const isItsOwn =
      listed.account ===
      accountOf(...(listed.given ? ([provider, consumer] as const) : ([consumer, provider] as const)));
    if (!isItsOwn) this.#problem(`the receipt ${name} is between other peers than its statement says`);
    if (listed.priceBytes !== priceBytes)
      this.#problem(`the receipt ${name} has another price than its statement says`);
  }

  #problem(text: string): void {
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(text);
  }
}

function accountOf(issuer: string, subject: string): string {
  return `${issuer} ${subject}`;
}

function rootsOf(section: Uint8Array): Set<string> {
  try {
    const { version, roots } = decode<{ version: unknown; roots: unknown }>(section);
    if (version === 1 && Array.isArray(roots)) return new Set(roots.map((root) => (root as CID).toString()));
  } catch {
    // Said below.
  }
  throw notACar('it has no header of version 1');
}

function lengthBytes(length: number): number {
  let bytes = 1;
  for (let rest = length; rest >= 0x80; rest >>>= 7) bytes += 1;
  return bytes;
}

function notACar(reason: string): WorkswapError {
  return new WorkswapError('NOT_A_CAR', `This is no CAR file of statements and receipts: ${reason}`, {
    fault: 'consumer',
  });
}
