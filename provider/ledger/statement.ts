import type { PeerId, PrivateKey } from '@libp2p/interface';
import { CID } from 'multiformats/cid';

import { DocumentError, openDocument, sealDocument } from '../../sdk/protocol/index.ts';
import { TOTAL_BYTES_MAX } from './amounts.ts';
import type { ScoreLedger } from './types.ts';

/** A receipt as a statement lists it. */
export interface StatedReceipt {
  cid: CID;
  priceBytes: number;
  /** True: the issuer did the work. False: the issuer had it done. */
  given: boolean;
}

/** What one peer says about its account with another. */
export interface AccountStatement {
  /** Peer id of who keeps the account, and who signs. */
  issuer: string;
  /** Peer id of the other side. */
  subject: string;
  timeMs: number;
  blocksSent: number;
  blocksRecv: number;
  workSent: number;
  workRecv: number;
  /** Abandoned work that the issuer counts as the subject's debt; the subject need not know of it. */
  ghost: number;
  /** The newest receipts, newest first, at most `STATED_RECEIPTS_MAX`. */
  receipts: StatedReceipt[];
  /** CID of the statement that this one was made in answer to. */
  answers?: CID;
}

/** So many that a statement stays below the 64 KiB of a signed document. */
export const STATED_RECEIPTS_MAX = 512;

const TYPE = 'account-statement';
const VERSION = 1;
const AMOUNTS = ['blocksSent', 'blocksRecv', 'workSent', 'workRecv', 'ghost'] as const;

/** The account of `subject` as this ledger keeps it. Receipts that are no CIDs (of another kind of ledger) are left out. */
export function stateAccount(
  ledger: Pick<ScoreLedger, 'getAccount' | 'receipts'>,
  issuer: PeerId,
  subject: PeerId,
  timeMs: number,
): AccountStatement {
  const { blocksSent, blocksRecv, workSent, workRecv, ghost } = ledger.getAccount(subject);
  const parties = { issuer: issuer.toString(), subject: subject.toString(), timeMs };
  const receipts: StatedReceipt[] = [];
  for (const { cid, kind, priceBytes, direction } of ledger.receipts?.list({ peer: parties.subject }) ?? []) {
    if (receipts.length === STATED_RECEIPTS_MAX) break;
    const parsed = kind === 'work' ? tryParse(cid) : undefined;
    if (parsed !== undefined) receipts.push({ cid: parsed, priceBytes, given: direction === 'given' });
  }
  return { ...parties, blocksSent, blocksRecv, workSent, workRecv, ghost, receipts };
}

/** Signs a statement. `key` must be the issuer's. */
export async function sealStatement(statement: AccountStatement, key: PrivateKey): Promise<Uint8Array> {
  return sealDocument(TYPE, { ...statement, version: VERSION }, key);
}

/**
 * Checks signature, issuer and shape.
 * @throws DocumentError
 */
export async function openStatement(bytes: Uint8Array): Promise<AccountStatement> {
  const { payload, signer } = await openDocument(TYPE, bytes);
  const { version, issuer, subject, timeMs, receipts, answers } = payload;
  if (version !== VERSION) throw refusal(`version ${String(version)} is not known`);
  if (issuer !== signer) throw refusal('it was not signed by its issuer');
  if (typeof subject !== 'string' || subject.length > 128) throw refusal('subject is no peer id');
  if (!Array.isArray(receipts) || receipts.length > STATED_RECEIPTS_MAX) {
    throw refusal(`receipts is no list of at most ${STATED_RECEIPTS_MAX}`);
  }
  const amounts = Object.fromEntries(AMOUNTS.map((name) => [name, amountOf(payload[name], name)]));
  const stated = receipts.map(openStated);
  // So that whoever adds them up stays within exact integers.
  amountOf(
    stated.reduce((sum, { priceBytes }) => Math.min(sum + priceBytes, 2 * TOTAL_BYTES_MAX), 0),
    'the sum of the receipts',
  );
  return {
    issuer,
    subject,
    timeMs: amountOf(timeMs, 'timeMs'),
    ...(amounts as Pick<AccountStatement, (typeof AMOUNTS)[number]>),
    receipts: stated,
    ...(answers === undefined ? {} : { answers: linkOf(answers, 'answers') }),
  };
}

function openStated(value: unknown): StatedReceipt {
  if (typeof value !== 'object' || value === null) throw refusal('a receipt is no map');
  const { cid, priceBytes, given } = value as Record<string, unknown>;
  const link = linkOf(cid, 'the CID of a receipt');
  if (typeof given !== 'boolean') throw refusal('a receipt does not say who gave it');
  return { cid: link, priceBytes: amountOf(priceBytes, 'priceBytes'), given };
}

function linkOf(value: unknown, name: string): CID {
  const link = CID.asCID(value);
  if (link === null) throw refusal(`${name} is no CID`);
  return link;
}

function amountOf(value: unknown, name: string): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= TOTAL_BYTES_MAX) return value as number;
  throw refusal(`${name} is no amount`);
}

function refusal(reason: string): DocumentError {
  return new DocumentError(TYPE, reason);
}

function tryParse(cid: string): CID | undefined {
  try {
    return CID.parse(cid);
  } catch {
    return undefined;
  }
}
