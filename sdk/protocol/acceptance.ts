import type { PrivateKey } from '@libp2p/interface';
import { CID } from 'multiformats/cid';
import { isServiceName } from './service-name.ts';
import { DocumentError, hasOnly, isCount, openDocument, sealDocument } from './signed.ts';

/** A provider's own word that it serves a service as a descriptor says: a maintainer cannot volunteer a provider. */
export interface Acceptance {
  /** The service's IPNS name. */
  service: string;
  /** CID of the descriptor that it serves. */
  descriptor: CID;
  /** CID of the tariff that it charges. */
  tariff: CID;
  /** Milliseconds since 1970. */
  expiresMs: number;
}

const TYPE = 'acceptance';
const BYTES_MAX = 4 * 1024;

export async function sealAcceptance(acceptance: Acceptance, key: PrivateKey): Promise<Uint8Array> {
  return sealDocument(TYPE, { version: 1, ...acceptance }, key);
}

/** @throws DocumentError when the block is not an acceptance signed by the peer that it names */
export async function openAcceptance(bytes: Uint8Array): Promise<Acceptance & { provider: string }> {
  if (bytes.length > BYTES_MAX) throw new DocumentError(TYPE, `it has more than ${BYTES_MAX} bytes`);
  const { payload, signer } = await openDocument(TYPE, bytes);
  hasOnly(TYPE, payload, ['version', 'service', 'descriptor', 'tariff', 'expiresMs']);
  const { version, service, expiresMs } = payload;
  const descriptor = CID.asCID(payload['descriptor']);
  const tariff = CID.asCID(payload['tariff']);
  const isComplete = version === 1 && descriptor !== null && tariff !== null && isCount(expiresMs);
  if (!isComplete || typeof service !== 'string' || !isServiceName(service)) {
    throw new DocumentError(TYPE, 'a field is missing or of the wrong kind');
  }
  return { service, descriptor, tariff, expiresMs, provider: signer };
}
