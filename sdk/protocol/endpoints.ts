import { peerIdFromString } from '@libp2p/peer-id';
import { DocumentError, hasOnly, isMap } from './signed.ts';

/** A provider that a document names as a place where something is. */
export interface Endpoint {
  /** Peer id. */
  peer: string;
  /** Multiaddrs. */
  addrs: string[];
}

export const ENDPOINTS_MAX = 16;
export const ENDPOINT_ADDRS_MAX = 8;
export const ADDR_LENGTH_MAX = 256;

/** @throws DocumentError of the document that has the list */
export function decodeEndpoints(type: string, value: unknown): Endpoint[] {
  const invalid = (reason: string): DocumentError => new DocumentError(type, reason);
  if (!Array.isArray(value) || value.length > ENDPOINTS_MAX) {
    throw invalid(`endpoints is not a list of at most ${ENDPOINTS_MAX}`);
  }
  const endpoints = value.map((endpoint) => decodeEndpoint(type, endpoint));
  if (new Set(endpoints.map(({ peer }) => peer)).size < endpoints.length) throw invalid('an endpoint is named twice');
  return endpoints;
}

function decodeEndpoint(type: string, value: unknown): Endpoint {
  const invalid = (reason: string): DocumentError => new DocumentError(type, reason);
  if (!isMap(value)) throw invalid('an endpoint is not a map');
  hasOnly(type, value, ['peer', 'addrs']);
  const { peer, addrs } = value;
  if (typeof peer !== 'string' || !isPeer(peer)) throw invalid('an endpoint has no peer id');
  const isAddrs = Array.isArray(addrs) && addrs.length <= ENDPOINT_ADDRS_MAX && addrs.every(isAddr);
  if (!isAddrs) throw invalid(`an endpoint has not a list of at most ${ENDPOINT_ADDRS_MAX} addresses`);
  return { peer, addrs: addrs as string[] };
}

function isAddr(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('/') && value.length <= ADDR_LENGTH_MAX;
}

function isPeer(text: string): boolean {
  try {
    return text.length <= ADDR_LENGTH_MAX && peerIdFromString(text).toString() === text;
  } catch {
    return false;
  }
}
