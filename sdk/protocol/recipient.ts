import { base36 } from 'multiformats/bases/base36';
import { base58btc } from 'multiformats/bases/base58';

/** How the bytes of an Ed25519 key's peer id begin: an identity multihash of a protobuf of 36 bytes. */
const KEY_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
const KEY_BYTES = 32;
/** CIDv1, codec libp2p-key. */
const NAME_PREFIX = Uint8Array.of(0x01, 0x72, ...KEY_PREFIX);
/** Longer than any name of a service or a peer; nothing longer is looked at. */
export const RECIPIENT_BYTES_MAX = 64;

/**
 * What a message can be sent to: a service by its IPNS name, a peer by its peer id, both of Ed25519 keys and in their one
 * canonical text. Every provider has to say the same of a text, so nothing here depends on a library's mercy.
 */
export function recipientKind(text: string): 'service' | 'peer' | undefined {
  if (text.length > RECIPIENT_BYTES_MAX) return undefined;
  try {
    if (text.startsWith('k'))
      return isKey(base36.decode(text), NAME_PREFIX, (key) => base36.encode(key) === text, 'service');
    return isKey(base58btc.baseDecode(text), KEY_PREFIX, (key) => base58btc.baseEncode(key) === text, 'peer');
  } catch {
    return undefined;
  }
}

function isKey<Kind>(
  bytes: Uint8Array,
  prefix: Uint8Array,
  isCanonical: (bytes: Uint8Array) => boolean,
  kind: Kind,
): Kind | undefined {
  const isWhole = bytes.length === prefix.length + KEY_BYTES && prefix.every((byte, i) => bytes[i] === byte);
  return isWhole && isCanonical(bytes) ? kind : undefined;
}
