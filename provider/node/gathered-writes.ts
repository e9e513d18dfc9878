import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';

type Create = (components: never) => ConnectionEncrypter;
type Secured = { connection: MessageStream };

/** More than this goes on at once, after what was gathered before it. */
const GATHERED_BYTES_MAX = 4096;

/**
 * Seals what is written in one turn of the event loop together. A stream is opened, answered, given room and closed with
 * frames of twelve bytes, each of which would be a frame of noise with a key schedule, a tag and a call of the system.
 */
export function gatheredWrites<T extends Create>(create: T): T {
  const wrapped = (components: never): ConnectionEncrypter => {
    const encrypter = create(components);
    const { secureInbound, secureOutbound } = encrypter;
    encrypter.secureInbound = async (connection, options) =>
      gather(connection, await secureInbound.call(encrypter, connection, options));
    encrypter.secureOutbound = async (connection, options) =>
      gather(connection, await secureOutbound.call(encrypter, connection, options));
    return encrypter;
  };
  return wrapped as T;
}

function gather<T extends Secured>(raw: MessageStream, secured: T): T {
  const { connection } = secured;
  const send = connection.send.bind(connection);
  let gathered: Uint8ArrayList | undefined;
  let timer: NodeJS.Immediate | undefined;
  let hasRoom = true;
  const flush = (): boolean => {
    if (gathered === undefined) return hasRoom;
    clearImmediate(timer);
    const data = gathered;
    gathered = undefined;
    return (hasRoom = send(data));
  };
  const flushLate = (): void => {
    try {
      flush();
    } catch {
      // The connection was closed meanwhile: it tells its streams so itself.
    }
  };
  connection.addEventListener('drain', () => (hasRoom = true));
  connection.send = (data) => {
    if (gathered === undefined) {
      gathered = new Uint8ArrayList();
      timer = setImmediate(flushLate);
    }
    gathered.append(data);
    return gathered.byteLength > GATHERED_BYTES_MAX ? flush() : hasRoom;
  };
  // libp2p closes the connection below, not the secured one.
  const close = raw.close.bind(raw);
  raw.close = (options) => {
    flushLate();
    return close(options);
  };
  return secured;
}
