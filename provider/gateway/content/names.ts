import { base36 } from 'multiformats/bases/base36';
import { base58btc } from 'multiformats/bases/base58';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { HttpError } from '../http/index.ts';

const LIBP2P_KEY = 0x72;
/** Of a DNS label. */
const LABEL_MAX = 63;

/** A CID of a path. @throws HttpError 400 */
export function parseCid(text: string): CID {
  try {
    return text.startsWith('k') ? CID.parse(text, base36) : CID.parse(text);
  } catch {
    throw new HttpError(400, 'CID_INVALID', `${JSON.stringify(text.slice(0, 128))} is not a CID`);
  }
}

/** An IPNS name in any of its forms as `k51...`; undefined when it is not a key's name. */
export function ipnsKey(text: string): string | undefined {
  try {
    // A peer id in its oldest form: a multihash in base 58.
    if (text.startsWith('12D3') || text.startsWith('Qm')) {
      return CID.createV1(LIBP2P_KEY, Digest.decode(base58btc.decode(`z${text}`))).toString(base36);
    }
    const cid = text.startsWith('k') ? CID.parse(text, base36) : CID.parse(text);
    return CID.createV1(LIBP2P_KEY, cid.multihash).toString(base36);
  } catch {
    return undefined;
  }
}

/** The label of a CID's own host. @throws HttpError 400 when it does not fit into one */
export function cidLabel(cid: CID): string {
  const base32 = cid.toV1().toString();
  if (base32.length <= LABEL_MAX) return base32;
  const short = cid.toV1().toString(base36);
  if (short.length <= LABEL_MAX) return short;
  throw new HttpError(400, 'CID_TOO_LONG', `CID incompatible with DNS label length limit of ${LABEL_MAX}: ${base32}`);
}
