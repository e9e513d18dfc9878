import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface';
import type { Uint8ArrayList } from 'uint8arraylist';
import { giveBack, markOurs } from './spent-buffers.ts';

type Bytes = Uint8Array | Uint8ArrayList;
type Create = (components: never) => ConnectionEncrypter;

/** What we use of the encrypted connection of @chainsafe/libp2p-noise. */
interface NoiseConnection {
  handshake: { decrypt(frame: Bytes): Bytes };
  decrypt(frame: Bytes): Bytes;
}

/**
 * Opens each frame of noise in the parts that it came in. Nearly every large frame lies across two reads of the socket,
 * and the library joins it in a buffer of its own before it opens it: 64 KiB more to allocate, copy and collect. What the
 * socket read is given back as soon as all of it is open.
 */
export function openedInParts<T extends Create>(create: T): T {
  const wrapped = (components: never): ConnectionEncrypter => {
    const encrypter = create(components);
    const { secureInbound, secureOutbound } = encrypter;
    encrypter.secureInbound = async (connection, options) =>
      inParts(await secureInbound.call(encrypter, connection, options));
    encrypter.secureOutbound = async (connection, options) =>
      inParts(await secureOutbound.call(encrypter, connection, options));
    return encrypter;
  };
  return wrapped as T;
}

function inParts<T extends { connection: MessageStream }>(secured: T): T {
  const connection = secured.connection as unknown as NoiseConnection;
  /** The handshake may have kept a view of what came with it. */
  let first: ArrayBufferLike | undefined;
  // The length of a frame has two bytes: it never holds more than one message of noise.
  connection.decrypt = (frame) => {
    const sealed = partsOf(frame);
    first ??= sealed[0]?.buffer;
    const opened = connection.handshake.decrypt(frame);
    for (const part of partsOf(opened)) markOurs(part);
    for (const { buffer, byteOffset, byteLength } of sealed) {
      // What a socket read is for this connection alone, and frames are opened in order: with its end all of it is spent.
      if (byteOffset + byteLength === buffer.byteLength && buffer !== first) giveBack(buffer);
    }
    return opened;
  };
  return secured;
}

function partsOf(bytes: Bytes): Uint8Array[] {
  return bytes instanceof Uint8Array ? [bytes] : [...bytes];
}
