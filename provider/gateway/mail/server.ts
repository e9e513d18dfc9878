import { randomBytes } from 'node:crypto';
import type { Mail } from '../../mail/index.ts';
import { createListener, ListenError, parseListenAddress, startServer } from '../http/index.ts';
import { MAIL_SERVER_LIMITS } from './limits.ts';
import { createMailRoutes } from './routes.ts';

export interface MailPage {
  /** With the token, behind the #: it is sent to nobody. */
  url: string;
  token: string;
  /** Where this machine itself reaches it: `http://HOST:PORT`. */
  local: string;
  stop(): Promise<void>;
}

/** Serves one's own mail as a page, at a port of its own: whatever the gateway shows is of another origin. @throws ListenError */
export async function startMailPage(mail: Mail, listen: string, onError: (error: unknown) => void): Promise<MailPage> {
  const address = parseListenAddress(listen);
  if (address === undefined) throw new ListenError(listen, 'it is not HOST:PORT, for example 127.0.0.1:8081');
  const token = randomBytes(24).toString('base64url');
  const routes = createMailRoutes({ mail, token, host: address.host });
  const { listener, close } = createListener(routes, { ...MAIL_SERVER_LIMITS, onError });
  const server = await startServer(address, listener, MAIL_SERVER_LIMITS).catch((error: unknown) => {
    close();
    throw error;
  });
  return {
    url: `${server.url}/#${token}`,
    token,
    // Who listens at every address is reached at the loopback's.
    local: server.url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:'),
    async stop() {
      await server.stop();
      close();
    },
  };
}
