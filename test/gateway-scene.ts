import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { importer } from 'ipfs-unixfs-importer';
import type { ImportCandidate } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import type { Blockstore } from 'interface-blockstore';
import type { CID } from 'multiformats/cid';
import { startGateway, type Gateway, type GatewayConfig } from '../provider/gateway/index.ts';
import { createProvider, type Provider } from '../provider/provider.ts';
import { makePublication } from '../provider/services/index.ts';
import { buildHandler } from '../sdk/build/index.ts';
import { LISTEN, offer } from './fixtures.ts';

/** Answers what its path asks for: the request as it got it, headers of all kinds, failures. */
const PROBE = `import { JsonWriter, Request, Response } from 'workswap';

@external('workswap', 'output_write')
declare function outputWrite(src: usize, length: i32): void;

export function handle(req: Request): Response {
  const path = req.path;
  // A head without the checks of the SDK; the rest of the answer is body.
  if (path == '/raw') {
    const head = req.body;
    outputWrite(head.dataStart, head.length);
  }
  if (path == '/throw') throw new Error('a secret of the author');
  if (path == '/spin') {
    let i: u64 = 1;
    while (i != 0) i = (i * 3) | 1;
    return Response.text(i.toString());
  }
  if (path == '/worker') return Response.text('x').header('service-worker-allowed', '/');
  if (path == '/big') return Response.text('0123456789'.repeat(60000));
  if (path == '/page') return Response.html('<p>' + 'all the same '.repeat(500) + '</p>');
  if (path == '/none') {
    const none = Response.text('');
    none.status = 204;
    return none;
  }
  const json = new JsonWriter().object();
  json.key('method').string(req.method).key('path').string(path).key('query').string(req.query.get('a', '-'));
  json.key('cookie').string(req.headers.get('cookie', '-')).key('type').string(req.headers.get('content-type', '-'));
  json.key('forwarded').string(req.headers.get('x-forwarded-for', '-')).key('mine').string(req.headers.get('x-mine', '-'));
  return Response.json(json.key('body').string(req.text).end().toString());
}
`;

let probeModule: Promise<Uint8Array> | undefined;

export function probe(): Promise<Uint8Array> {
  probeModule ??= (async () => {
    const path = await mkdtemp(join(tmpdir(), 'workswap-probe-'));
    await writeFile(join(path, 'probe.ts'), PROBE);
    try {
      return (await buildHandler(join(path, 'probe.ts'))).wasm;
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  })();
  return probeModule;
}

export interface Scene {
  provider: Provider;
  gateway: Gateway;
  /** The IPNS name of the service, and `NAME.localhost:PORT`. */
  name: string;
  host: string;
  site: CID;
  errors: unknown[];
  stop(): Promise<void>;
}

export const SITE: Record<string, string> = {
  'about.html': '<!doctype html><title>About</title><p>static</p>',
  'app.js': `${'export const all = 1;\n'.repeat(200)}`,
  'docs/index.html': '<!doctype html><p>docs</p>',
  'plain/notes.txt': 'notes',
  '404.html': '<p>nothing here</p>',
  _redirects: '/old/* /about.html?from=:splat 301\n/lost/* /404.html 404\n/spa/* /about.html 200\n',
};

/** A provider with one service, the probe behind a site, and its gateway. */
export async function gatewayScene(config: Partial<GatewayConfig> = {}): Promise<Scene> {
  const provider = await createProvider({ config: { node: { listen: [LISTEN] } } });
  const errors: unknown[] = [];
  const site = await addFiles(provider.blocks, SITE);
  const key = await generateKeyPair('Ed25519');
  const endpoints = [{ peer: provider.peerId.toString(), addrs: provider.addrs }];
  const handler = await offer(provider, await probe());
  const publication = await makePublication(key, { handler, site, endpoints }, 1);
  await provider.services.host(publication);
  const full = { listen: '127.0.0.1:0', ...config };
  const gateway = await startGateway(provider, full, (error) => errors.push(error));
  return {
    provider,
    gateway,
    name: publication.name,
    host: `${publication.name}.localhost:${gateway.port}`,
    site,
    errors,
    async stop() {
      await gateway.stop();
      await provider.stop();
    },
  };
}

/** A directory of files, as every tool makes it. */
export async function addFiles(
  blocks: Blockstore,
  files: Record<string, string | Uint8Array>,
  options: { shardSplitThresholdBytes?: number; chunkSize?: number } = {},
): Promise<CID> {
  const candidates = Object.entries(files).map(([path, content]): ImportCandidate => {
    return { path, content: typeof content === 'string' ? new TextEncoder().encode(content) : content };
  });
  let root: CID | undefined;
  const { chunkSize = 1024 * 1024, ...rest } = options;
  const settings = {
    cidVersion: 1,
    rawLeaves: true,
    wrapWithDirectory: true,
    chunker: fixedSize({ chunkSize }),
  } as const;
  for await (const { cid } of importer(candidates, blocks, { ...settings, ...rest })) root = cid;
  return root!;
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  trailers: NodeJS.Dict<string>;
  body: Buffer;
  text: string;
}

export interface AskOptions {
  method?: string;
  host?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** One request with any Host header and no following of redirects. */
export async function ask({ port }: { port: number }, path: string, options: AskOptions = {}): Promise<Reply> {
  const { method = 'GET', host = `127.0.0.1:${port}`, headers = {}, body } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const request = httpRequest(
    { host: '127.0.0.1', port, path, method, headers: { host, ...headers }, agent: false },
    (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        const { statusCode: status = 0, headers: answered, trailers } = response;
        resolve({ status, headers: answered, trailers, body: bytes, text: bytes.toString() });
      });
    },
  );
  request.on('error', reject);
  request.end(body);
  return promise;
}

/** Bytes as they are on a connection; the answer is all that comes until it ends. */
export async function sendRaw({ port }: { port: number }, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on('data', (part) => (answer += part.toString('latin1')));
  socket.on('close', () => resolve(answer));
  socket.on('error', () => {});
  socket.write(bytes, 'latin1');
  return promise;
}
