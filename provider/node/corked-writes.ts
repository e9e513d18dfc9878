import type { Socket } from 'node:net';
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface';
import { giveBack, isOurs, isWhole } from './spent-buffers.ts';

type Create = (components: never) => ConnectionEncrypter;

/**
 * Hands everything that an encrypter writes within one turn to the system in one call. Noise gives each frame in parts
 * (its length, then the sealed bytes), a stream's opening and closing are frames of their own, and the TCP transport makes
 * a call for each part. What was sealed is given back once the system has it.
 */
export function corkedWrites<T extends Create>(create: T): T {
  const wrapped = (components: never): ConnectionEncrypter => {
    const encrypter = create(components);
    const { secureInbound, secureOutbound } = encrypter;
    encrypter.secureInbound = (connection, options) => secureInbound.call(encrypter, cork(connection), options);
    encrypter.secureOutbound = (connection, options) => secureOutbound.call(encrypter, cork(connection), options);
    return encrypter;
  };
  return wrapped as T;
}

function cork<T extends MessageStream & { socket?: Socket }>(connection: T): T {
  const { socket } = connection;
  // Another transport than TCP.
  if (socket === undefined) return connection;
  giveBackWritten(socket);
  const send = connection.send.bind(connection);
  const uncork = (): void => socket.uncork();
  connection.send = (data) => {
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(uncork);
    }
    return send(data);
  };
  return connection;
}

function giveBackWritten(socket: Socket): void {
  const write = socket.write.bind(socket);
  socket.write = (data: string | Uint8Array, ...rest: never[]): boolean => {
    if (typeof data === 'string' || !isWhole(data) || !isOurs(data.buffer)) return write(data, ...rest);
    return write(data, (error) => {
      // After an error the system may still hold the memory.
      if (error === undefined || error === null) giveBack(data.buffer);
    });
  };
}
