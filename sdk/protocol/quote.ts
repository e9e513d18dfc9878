import type { PrivateKey } from '@libp2p/interface';
import { CID } from 'multiformats/cid';
import { DocumentError, isCount, openDocument, sealDocument } from './signed.ts';

/** The signed upper bound of a task's price at one provider, before it runs. */
export interface Quote {
  task: CID;
  tariff: CID;
  /** Never more than this is charged for the task before `expiresMs`. */
  priceMaxBytes: number;
  /** The part of it that the compilation of a module not yet known costs; 0 when it is compiled already. */
  compileBytes: number;
  /** Milliseconds since 1970. */
  expiresMs: number;
}

export async function sealQuote(quote: Quote, key: PrivateKey): Promise<Uint8Array> {
  return sealDocument('quote', { version: 1, ...quote }, key);
}

/** @throws DocumentError when the block is not a quote signed by the peer that it names. */
export async function openQuote(bytes: Uint8Array): Promise<Quote & { provider: string }> {
  const { payload, signer } = await openDocument('quote', bytes);
  const { version, priceMaxBytes, compileBytes, expiresMs } = payload;
  const task = CID.asCID(payload['task']);
  const tariff = CID.asCID(payload['tariff']);
  if (
    version !== 1 ||
    task === null ||
    tariff === null ||
    !isCount(priceMaxBytes) ||
    !isCount(compileBytes) ||
    !isCount(expiresMs)
  ) {
    throw new DocumentError('quote', 'a field is missing or of the wrong kind');
  }
  return { task, tariff, priceMaxBytes, compileBytes, expiresMs, provider: signer };
}
