import { multiaddr } from '@multiformats/multiaddr';
import { CID } from 'multiformats/cid';
import { PinError } from './errors.ts';
import {
  CID_LENGTH_MAX,
  META_BYTES_MAX,
  META_ENTRIES_MAX,
  NAME_LENGTH_MAX,
  ORIGIN_LENGTH_MAX,
  ORIGINS_MAX,
} from './limits.ts';
import type { PinRequest } from './types.ts';

/** The root of what is to be pinned. @throws PinError PIN_INVALID that names the field */
export function checkRequest({ cid, name, origins, meta }: PinRequest): CID {
  const root = checkCid(cid);
  if (name !== undefined && [...name].length > NAME_LENGTH_MAX) {
    throw invalid('name', `has more than ${NAME_LENGTH_MAX} characters`);
  }
  if (origins.length > ORIGINS_MAX) throw invalid('origins', `has more than ${ORIGINS_MAX} addresses`);
  for (const origin of origins) checkOrigin(origin);
  if (Object.keys(meta).length > META_ENTRIES_MAX) throw invalid('meta', `has more than ${META_ENTRIES_MAX} entries`);
  if (Buffer.byteLength(JSON.stringify(meta)) > META_BYTES_MAX) {
    throw invalid('meta', `has more than ${META_BYTES_MAX} bytes`);
  }
  return root;
}

/** @throws PinError PIN_INVALID */
export function checkCid(text: string): CID {
  if (text.length > CID_LENGTH_MAX) throw invalid('cid', `has more than ${CID_LENGTH_MAX} characters`);
  try {
    return CID.parse(text);
  } catch {
    throw invalid('cid', 'is not a CID');
  }
}

function checkOrigin(text: string): void {
  try {
    if (text.length > ORIGIN_LENGTH_MAX) throw new Error('too long');
    multiaddr(text);
  } catch {
    throw invalid('origins', 'has something that is not a multiaddr, such as /ip4/.../tcp/4001/p2p/PEER-ID');
  }
}

function invalid(field: string, why: string): PinError {
  return new PinError('PIN_INVALID', `"${field}" ${why}.`);
}
