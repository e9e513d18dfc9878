import type { PrivateKey } from '@libp2p/interface';
import { CID } from 'multiformats/cid';
import { dagCborCid } from './cids.ts';
import { decodeEndpoints, type Endpoint } from './endpoints.ts';
import { serviceName, serviceSigner } from './service-name.ts';
import { DocumentError, hasOnly, isCount, isMap, openDocument, sealDocument } from './signed.ts';

export interface ServicePolicy {
  query: 'open';
  update: 'open';
  /** Who pays for a visitor: the visitor, or the peer that asked the endpoint to host. */
  sponsor: 'maintainer' | 'caller';
}

/** What a maintainer says about a service. */
export interface Descriptor {
  /** The service's IPNS name. */
  name: string;
  handler: CID;
  /** Root of the static files, a UnixFS directory. */
  site?: CID;
  endpoints: Endpoint[];
  policy: ServicePolicy;
  /** Grows with every new descriptor; the IPNS record has the same. */
  sequence: number;
  /** Milliseconds since 1970. */
  expiresMs: number;
}

export interface SealedDescriptor {
  cid: CID;
  bytes: Uint8Array;
  descriptor: Descriptor;
}

export const DESCRIPTOR_BYTES_MAX = 48 * 1024;

const TYPE = 'descriptor';
const FIELDS = [
  'version',
  'name',
  'handler',
  'site',
  'endpoints',
  'downlinks',
  'policy',
  'sequence',
  'expiresMs',
] as const;

/** Signs a descriptor with the service's key. @throws DocumentError when it is over a limit */
export async function sealDescriptor(
  { site, ...descriptor }: Omit<Descriptor, 'name'>,
  key: PrivateKey,
): Promise<SealedDescriptor> {
  const payload = {
    version: 1,
    name: serviceName(key.publicKey),
    ...descriptor,
    ...(site === undefined ? {} : { site }),
    downlinks: [],
  };
  return openDescriptor(await sealDocument(TYPE, payload, key));
}

/**
 * Decodes a descriptor and checks that the key of the service that it names has signed it. Whether it is still valid
 * depends on the time: see `isExpired`.
 *
 * @throws DocumentError
 */
export async function openDescriptor(bytes: Uint8Array): Promise<SealedDescriptor> {
  if (bytes.length > DESCRIPTOR_BYTES_MAX) throw invalid(`it has more than ${DESCRIPTOR_BYTES_MAX} bytes`);
  const { payload, signer } = await openDocument(TYPE, bytes);
  hasOnly(TYPE, payload, FIELDS);
  const { version, name, endpoints, downlinks, policy, sequence, expiresMs } = payload;
  if (version !== 1) throw invalid(`version ${String(version)} is not known`);
  if (typeof name !== 'string' || signerOf(name) !== signer) throw invalid('it is not signed by the key that it names');
  const handler = CID.asCID(payload['handler']);
  const site = payload['site'] === undefined ? undefined : CID.asCID(payload['site']);
  if (handler === null || site === null) throw invalid('handler or site is not a CID');
  if (!Array.isArray(downlinks) || downlinks.length > 0)
    throw invalid('downlinks are not known yet; the list is empty');
  if (!isCount(sequence) || !isCount(expiresMs)) throw invalid('sequence or expiresMs is not a count');
  const descriptor: Descriptor = {
    name,
    handler,
    ...(site === undefined ? {} : { site }),
    endpoints: decodeEndpoints(TYPE, endpoints),
    policy: decodePolicy(policy),
    sequence,
    expiresMs,
  };
  return { cid: dagCborCid(bytes), bytes, descriptor };
}

export function isExpired(document: { expiresMs: number }, nowMs: number): boolean {
  return nowMs >= document.expiresMs;
}

function decodePolicy(value: unknown): ServicePolicy {
  if (!isMap(value)) throw invalid('it has no policy');
  hasOnly(TYPE, value, ['query', 'update', 'sponsor']);
  const { query, update, sponsor } = value;
  if (query !== 'open' || update !== 'open') throw invalid('a policy is not known');
  if (sponsor !== 'maintainer' && sponsor !== 'caller') throw invalid('sponsor is neither maintainer nor caller');
  return { query, update, sponsor };
}

function signerOf(name: string): string | undefined {
  try {
    return serviceSigner(name);
  } catch {
    return undefined;
  }
}

function invalid(reason: string): DocumentError {
  return new DocumentError(TYPE, reason);
}
