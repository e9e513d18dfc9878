import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Consumer } from '../provider/consumer.ts';
import type { Provider, ProviderOptions } from '../provider/provider.ts';
import { buildHandler } from '../sdk/build/index.ts';
import { serviceName } from '../sdk/protocol/index.ts';
import { consumer, offer, provider } from './fixtures.ts';
import { maintain, never, textOf, type Maintained } from './service-scene.ts';

/** Fast retries: nobody waits for seconds in a test. */
const MESSAGES = { retryMsMin: 10, retryMsMax: 100 };

/**
 * `POST /?to=A&to=B&times=N` sends its body N times to each; `/fail` and `/trap` do not end well after that. A message that comes is noted;
 * `pass A B` goes on to A as `pass B A`, `twice A B` two times, `fail` fails. GET gives what came.
 */
const POSTBOX = `import { Message, Request, Response, List, send, sendBytes, state } from 'workswap';

const inbox = new List('inbox');

export function handle(req: Request): Response {
  if (req.method == 'GET') {
    if (req.path == '/send') send(req.query.get('to'), 'in a query');
    return Response.text(inbox.slice(0, 10000).join('\\n'));
  }
  const times = I32.parseInt(req.query.get('times', '1'));
  const to = req.query.all('to');
  const size = I32.parseInt(req.query.get('size', '0'));
  for (let i = 0; i < times; i++) {
    for (let j = 0; j < to.length; j++) {
      if (size > 0) sendBytes(to[j], new Uint8Array(size));
      else send(to[j], times > 1 ? req.text + ' ' + i.toString() : req.text);
    }
  }
  if (req.path == '/fail') throw new Error('as asked');
  if (req.path == '/trap') unreachable();
  return Response.text('sent');
}

export function deliver(message: Message): void {
  const words = message.text.split(' ');
  inbox.push(message.text);
  state.writeText('from/' + message.id, message.from + ' ' + message.timeMs.toString() + ' ' + message.followUps.toString());
  if (words[0] == 'fail') throw new Error('this one is not liked');
  const copies = words[0] == 'pass' ? 1 : words[0] == 'twice' ? 2 : 0;
  for (let i = 0; i < copies; i++) send(words[1], words[0] + ' ' + words[2] + ' ' + words[1]);
}
`;

let postbox: Promise<Uint8Array> | undefined;

export function postboxHandler(): Promise<Uint8Array> {
  postbox ??= build(POSTBOX);
  return postbox;
}

export async function build(source: string): Promise<Uint8Array> {
  const path = await mkdtemp(join(tmpdir(), 'workswap-messages-'));
  await writeFile(join(path, 'index.ts'), source);
  try {
    return (await buildHandler(join(path, 'index.ts'))).wasm;
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

export function messagingProvider(options: ProviderOptions = {}): Promise<Provider> {
  const config = {
    services: { host: 'anyone' },
    mailbox: { host: 'anyone' },
    messages: MESSAGES,
    ...options.config,
  } as const;
  return provider({ ...options, config });
}

export interface Postbox extends Maintained {
  name: string;
}

export async function postboxAt(maintainer: Consumer, hosts: Provider[]): Promise<Postbox> {
  const handler = await offer(maintainer, await postboxHandler());
  const maintained = await maintain(maintainer, hosts, { handler });
  return { ...maintained, name: serviceName(maintained.key.publicKey) };
}

export async function peerOf(...hosts: Provider[]): Promise<Consumer> {
  return consumer({ routing: { bootstrap: hosts.map(({ addrs }) => addrs[0]!) } });
}

/** Sends through the service, and waits for the receipt. */
export async function sendBy(node: Pick<Consumer, 'runner'>, service: string, query: string, body: string, path = '/') {
  const found = await node.runner.resolve(service, never);
  const response = await node.runner.run(found, { method: 'POST', path: `${path}?${query}`, body }, never);
  await textOf(response);
  return (await response.receipt()).receipt;
}

/** What came to a service, in order. */
export async function inboxOf(node: Pick<Consumer, 'runner'>, service: string): Promise<string[]> {
  const response = await node.runner.run(await node.runner.resolve(service, never), { path: '/' }, never);
  const text = await textOf(response);
  await response.receipt();
  return text === '' ? [] : text.split('\n');
}
