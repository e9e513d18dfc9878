import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Contender } from './contender.ts';

/** One answer of the gateway, to be given again and again. */
export interface Canned {
  headers: Record<string, string>;
  body: string;
}

/** The peer: a bare server of node:http in a process of its own, with the gateway's answer lying ready. */
export async function startNodeHttp(canned: Canned): Promise<Contender> {
  const child = fork(fileURLToPath(import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.send(canned);
  const [port] = (await once(child, 'message')) as [number];
  return {
    name: 'node:http',
    port,
    host: `127.0.0.1:${port}`,
    stop: async () => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.once('message', ({ headers, body }: Canned) => {
    const bytes = Buffer.from(body);
    const all = { ...headers, 'content-length': bytes.length };
    const server = createServer({ noDelay: true }, (_request, response) => {
      response.writeHead(200, all);
      response.end(bytes);
    });
    server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
  });
  process.on('disconnect', () => process.exit(0));
}
