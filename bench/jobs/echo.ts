import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { parseConfig } from '../../provider/config.ts';
import { createNode, startNode } from '../../provider/node/index.ts';
import { FrameReader, FrameWriter } from '../../sdk/protocol/index.ts';

/**
 * The peer of the jobs suite: the same libp2p host, framing and message sizes, and nothing else. It answers each request
 * with bytes that lie ready, so what it reaches is what the transport alone allows on this machine at this minute.
 */
const PROTOCOL = '/workswap-bench/echo/1.0.0';
const LISTEN = '/ip4/127.0.0.1/tcp/0';
const FRAME_BYTES_MAX = 64 * 1024;
/** As large as the task and the replies of a `hello` job. */
const REQUEST_BYTES = 150;
const REPLY_BYTES = 700;

async function startHost(listen: string[]): Promise<Libp2p> {
  const { node } = parseConfig({ node: { listen } }, 'bench');
  const host = await createNode({ ...node, privateKey: await generateKeyPair('Ed25519') });
  await startNode(host, listen);
  return host;
}

export interface Echo {
  /** Sends this many requests, `depth` at a time, and waits for all answers. */
  burst(requests: number, depth: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startEcho(): Promise<Echo> {
  const child = fork(fileURLToPath(import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [address] = (await once(child, 'message')) as [string];
  const host = await startHost([]);
  const stream = await host.dialProtocol(multiaddr(address), PROTOCOL);
  const writer = new FrameWriter(stream, (error) => stream.abort(error));
  const request = new Uint8Array(REQUEST_BYTES);
  let onReply = (): void => {};
  const reader = new FrameReader(FRAME_BYTES_MAX);
  stream.addEventListener('message', (event) => reader.push(event.data, () => onReply()));
  return {
    async burst(requests, depth) {
      const { promise, resolve } = Promise.withResolvers<void>();
      let sent = 0;
      let answered = 0;
      onReply = () => {
        answered++;
        if (answered === requests) resolve();
        else if (sent < requests) send();
      };
      const send = (): void => {
        sent++;
        writer.write(request);
      };
      while (sent < Math.min(depth, requests)) send();
      await promise;
    },
    async stop() {
      await host.stop();
      child.kill();
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const host = await startHost([LISTEN]);
  await host.handle(PROTOCOL, (stream) => {
    const reply = new Uint8Array(REPLY_BYTES);
    const writer = new FrameWriter(stream, (error) => stream.abort(error));
    const reader = new FrameReader(FRAME_BYTES_MAX);
    stream.addEventListener('message', (event) => reader.push(event.data, () => writer.write(reply)));
  });
  process.on('disconnect', () => process.exit(0));
  process.send!(host.getMultiaddrs()[0]!.toString());
}
