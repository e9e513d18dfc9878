import type { PrivateKey } from '@libp2p/interface';
import { CID } from 'multiformats/cid';
import { isServiceName, serviceName, serviceSigner } from './service-name.ts';
import { DocumentError, hasOnly, isCount, openDocument, sealDocument } from './signed.ts';

/**
 * A maintainer's order to one provider to host a service. Descriptor and record are public, so that without it whoever
 * has read them could ask in the maintainer's place: become the one who pays, or hand over a state of his own making.
 */
export interface HostOrder {
  service: string;
  descriptor: CID;
  /** Peer id of the provider that it is for. */
  provider: string;
  /** Peer id of the node that brings it: it serves the blocks, and pays for visitors when the policy says so. */
  maintainer: string;
  /** For a service that moves: the commit that its state continues from. */
  commit?: CID;
  /** Milliseconds since 1970. */
  expiresMs: number;
}

const TYPE = 'host';
const BYTES_MAX = 4 * 1024;
const PEER_LENGTH_MAX = 256;

export async function sealHostOrder(order: Omit<HostOrder, 'service'>, key: PrivateKey): Promise<Uint8Array> {
  return sealDocument(TYPE, { version: 1, service: serviceName(key.publicKey), ...order }, key);
}

/** @throws DocumentError when it is not signed by the key of the service that it names */
export async function openHostOrder(bytes: Uint8Array): Promise<HostOrder> {
  if (bytes.length > BYTES_MAX) throw new DocumentError(TYPE, `it has more than ${BYTES_MAX} bytes`);
  const { payload, signer } = await openDocument(TYPE, bytes);
  hasOnly(TYPE, payload, ['version', 'service', 'descriptor', 'provider', 'maintainer', 'commit', 'expiresMs']);
  const { version, service, provider, maintainer, expiresMs } = payload;
  const descriptor = CID.asCID(payload['descriptor']);
  const commit = payload['commit'] === undefined ? undefined : CID.asCID(payload['commit']);
  const isComplete = version === 1 && descriptor !== null && commit !== null && isCount(expiresMs);
  if (!isComplete || !isPeerText(provider) || !isPeerText(maintainer)) {
    throw new DocumentError(TYPE, 'a field is missing or of the wrong kind');
  }
  if (typeof service !== 'string' || !isServiceName(service) || serviceSigner(service) !== signer) {
    throw new DocumentError(TYPE, 'it is not signed by the key of the service that it names');
  }
  const order: HostOrder = { service, descriptor, provider, maintainer, expiresMs };
  return commit === undefined ? order : { ...order, commit };
}

function isPeerText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= PEER_LENGTH_MAX;
}
