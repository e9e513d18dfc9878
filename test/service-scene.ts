import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { CID } from 'multiformats/cid';
import type { Consumer } from '../provider/consumer.ts';
import type { Provider } from '../provider/provider.ts';
import { hostAt, makePublication, type Publication, type ServiceResponse } from '../provider/services/index.ts';
import { buildHandler } from '../sdk/build/index.ts';
import type { Descriptor, Endpoint } from '../sdk/protocol/index.ts';
import { offer } from './fixtures.ts';

export const never = new AbortController().signal;

/** GET lists what was written, one line each, with who asks; POST adds its body; /slow takes its time; /fail throws after a write. */
const NOTES = `import { Request, Response, state } from 'workswap';

export function handle(req: Request): Response {
  if (req.method == 'POST') {
    const names = state.list('notes', '', 1000);
    state.writeText('notes/' + (names.length + 1000).toString(), req.text);
    let sum: u64 = 1;
    if (req.path == '/slow') for (let i = 0; i < 200000000; i++) sum = sum * 31 + 1;
    if (sum == 0 || req.path == '/fail') throw new Error('as asked');
    return Response.text('note ' + (names.length + 1).toString());
  }
  let text = 'for ' + req.caller + '\\n';
  const names = state.list('notes', '', 1000);
  for (let i = 0; i < names.length; i++) {
    const note = state.readText('notes/' + names[i].name);
    if (note !== null) text += note + '\\n';
  }
  return Response.text(text);
}
`;

let notesModule: Promise<Uint8Array> | undefined;

export function notesHandler(): Promise<Uint8Array> {
  notesModule ??= (async () => {
    const path = await mkdtemp(join(tmpdir(), 'workswap-notes-'));
    await writeFile(join(path, 'notes.ts'), NOTES);
    try {
      return (await buildHandler(join(path, 'notes.ts'))).wasm;
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  })();
  return notesModule;
}

export function endpointOf({ peerId, addrs }: Provider): Endpoint {
  return { peer: peerId.toString(), addrs };
}

export interface Maintained {
  key: PrivateKey;
  handler: CID;
  publication: Publication;
}

/** The service of notes, published by `maintainer` for these providers; each is asked to host it. */
export async function maintain(
  maintainer: Consumer,
  providers: Provider[],
  fields: {
    sponsor?: Descriptor['policy']['sponsor'];
    expiresMs?: number;
    sequence?: number;
    key?: PrivateKey;
    handler?: CID;
  } = {},
): Promise<Maintained> {
  const { sequence = 1, key = await generateKeyPair('Ed25519'), ...others } = fields;
  const handler = fields.handler ?? (await offer(maintainer, await notesHandler()));
  const endpoints = providers.map(endpointOf);
  const publication = await makePublication(key, { handler, endpoints, ...others }, sequence);
  for (const provider of providers) {
    await maintainer.libp2p.dial(provider.addrs.map((addr) => multiaddr(addr)));
    await hostAt(maintainer.libp2p, provider.peerId, publication, key, { signal: never });
  }
  return { key, handler, publication };
}

export async function textOf({ body }: Pick<ServiceResponse, 'body'>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Sends a note and waits for the receipt. */
export async function post(node: Pick<Consumer, 'runner'>, name: string, note: string) {
  const service = await node.runner.resolve(name, never);
  const response = await node.runner.run(service, { method: 'POST', path: '/', body: note }, never);
  await textOf(response);
  return (await response.receipt()).receipt;
}

export async function read(node: Pick<Consumer, 'runner'>, name: string): Promise<string> {
  const response = await node.runner.run(await node.runner.resolve(name, never), { path: '/' }, never);
  const text = await textOf(response);
  await response.receipt();
  return text;
}
