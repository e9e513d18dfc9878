import type { PrivateKey } from '@libp2p/interface';
import { CID } from 'multiformats/cid';
import { serviceName, serviceSigner, isServiceName } from './service-name.ts';
import { DocumentError, hasOnly, openDocument, sealDocument } from './signed.ts';

/** A maintainer's order to set a service's state back to what it was after an earlier commit. */
export interface Rollback {
  service: string;
  /** The newest commit when the order was given: it cannot be given a second time, since it makes a new one. */
  from: CID;
  /** The commit whose state comes back. */
  to: CID;
}

const TYPE = 'rollback';
const BYTES_MAX = 4 * 1024;

export async function sealRollback({ from, to }: Omit<Rollback, 'service'>, key: PrivateKey): Promise<Uint8Array> {
  return sealDocument(TYPE, { version: 1, service: serviceName(key.publicKey), from, to }, key);
}

/** @throws DocumentError when it is not signed by the key of the service that it names */
export async function openRollback(bytes: Uint8Array): Promise<Rollback> {
  if (bytes.length > BYTES_MAX) throw new DocumentError(TYPE, `it has more than ${BYTES_MAX} bytes`);
  const { payload, signer } = await openDocument(TYPE, bytes);
  hasOnly(TYPE, payload, ['version', 'service', 'from', 'to']);
  const { version, service } = payload;
  const from = CID.asCID(payload['from']);
  const to = CID.asCID(payload['to']);
  if (version !== 1 || from === null || to === null || typeof service !== 'string' || !isServiceName(service)) {
    throw new DocumentError(TYPE, 'a field is missing or of the wrong kind');
  }
  if (serviceSigner(service) !== signer) throw new DocumentError(TYPE, `it is not signed by the key of ${service}`);
  return { service, from, to };
}
