import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface';

type Create = (components: never) => ConnectionEncrypter;

/** What we use of the encrypted connection of @chainsafe/libp2p-noise. */
interface NoiseConnection {
  handshake: { decrypt(frame: Uint8Array): Uint8Array };
  decrypt(frame: Uint8Array): Uint8Array;
}

/**
 * Opens each frame of noise in the parts that it came in. Nearly every large frame lies across two reads of the socket,
 * and the library joins it in a buffer of its own before it opens it: 64 KiB more to allocate, copy and collect.
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
  // The length of a frame has two bytes: it never holds more than one message of noise.
  connection.decrypt = (frame) => connection.handshake.decrypt(frame);
  return secured;
}
