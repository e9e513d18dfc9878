import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { expect, onTestFinished, test } from 'vitest';
import { rawCid } from '../sdk/protocol/index.ts';
import type { Provider } from '../provider/provider.ts';
import { RouterError, ROUTING_LIMITS, type RoutingLimits } from '../provider/routing/index.ts';
import { DelegatedRouter } from '../provider/routing/delegated.ts';
import { provider } from './fixtures.ts';

/** Goal: delegated routing over HTTP works with real answers, and no answer of a server can hurt who asks. */

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function server(answer: Answer): Promise<string> {
  const http = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => http.once('listening', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

const ndjson =
  (...lines: string[]): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(lines.join('\n'));
  };

const json =
  (body: string): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(body);
  };

const record = ({ peerId, addrs }: { peerId: { toString(): string }; addrs: string[] }): string =>
  JSON.stringify({ Schema: 'peer', ID: peerId.toString(), Addrs: addrs, Protocols: ['transport-bitswap'] });

const newPeer = async (): Promise<string> => peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString();

const CID = rawCid(new Uint8Array([1]));

async function ask(answer: Answer, limits: Partial<RoutingLimits> = {}, signal = AbortSignal.timeout(20_000)) {
  const router = new DelegatedRouter(await server(answer), { ...ROUTING_LIMITS, ...limits });
  const found: { id: string; addrs: string[] }[] = [];
  const error = await (async () => {
    for await (const { id, multiaddrs = [] } of router.findProviders(CID, { signal })) {
      found.push({ id: id.toString(), addrs: multiaddrs.map(String) });
    }
  })().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { found, error };
}

async function holderOf(bytes: Uint8Array): Promise<Provider> {
  const holder = await provider();
  await holder.blocks.put(rawCid(bytes), bytes);
  return holder;
}

const seeker = (delegated: string[], privateAddresses = true): Promise<Provider> =>
  provider({ config: { routing: { delegated, privateAddresses } } });

test.each(['application/x-ndjson', 'application/json'])(
  'a block is fetched from a provider that a server names (%s)',
  async (type) => {
    const bytes = randomBytes(4000);
    const holder = await holderOf(bytes);
    const asked: string[] = [];
    const url = await server((request, response) => {
      asked.push(request.url ?? '');
      if (type === 'application/json') json(`{"Providers":[${record(holder)}]}`)(request, response);
      else ndjson(record(holder))(request, response);
    });
    const ours = await seeker([url]);
    await ours.fetch(rawCid(bytes), { signal: AbortSignal.timeout(20_000) });
    expect(ours.scoreLedger.getReceipt(holder.peerId)).toMatchObject({ recv: 4000 });
    expect(asked).toEqual([`/routing/v1/providers/${rawCid(bytes).toString()}`]);
  },
  30_000,
);

test('lies, junk, silence and a server that is gone do not keep the true answer of another from being used', async () => {
  const bytes = randomBytes(4000);
  const holder = await holderOf(bytes);
  const liars = await Promise.all(
    Array.from({ length: 100 }, async () =>
      record({ peerId: { toString: () => '' }, addrs: [] }).replace('""', `"${await newPeer()}"`),
    ),
  );
  const addresses = ['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/9'];
  const lies = liars.map((line) => line.replace('"Addrs":[]', `"Addrs":${JSON.stringify(addresses)}`));
  const ours = await seeker([
    await server(ndjson(...lies)),
    await server(ndjson('not json', '{"ID":5}', '[]')),
    await server(() => {}),
    'http://127.0.0.1:1',
    await server(ndjson(record(holder))),
  ]);
  await ours.fetch(rawCid(bytes), { signal: AbortSignal.timeout(20_000) });
  expect(ours.scoreLedger.getReceipt(holder.peerId)).toMatchObject({ recv: 4000 });
}, 30_000);

test.each([
  [false, 'does not make us knock there'],
  [true, 'is believed where the configuration says so'],
])(
  'a server that names addresses of our own network (privateAddresses = %s) %s',
  async (privateAddresses) => {
    const knock = Promise.withResolvers<string>();
    const inside = createServer()
      .on('connection', () => knock.resolve('knocked'))
      .listen(0, '127.0.0.1');
    await new Promise((resolve) => inside.once('listening', resolve));
    onTestFinished(() => void inside.close());
    const { port } = inside.address() as AddressInfo;
    const victims = [`/ip4/127.0.0.1/tcp/${port}`, `/dns4/localhost/tcp/${port}`, `/ip6/::ffff:127.0.0.1/tcp/${port}`];
    const id = await newPeer();
    const answered = Promise.withResolvers<void>();
    const url = await server((request, response) => {
      ndjson(record({ peerId: id, addrs: victims }))(request, response);
      response.on('close', answered.resolve);
    });
    const ours = await seeker([url], privateAddresses);
    const stop = new AbortController();
    const fetching = ours.fetch(CID, { signal: stop.signal }).catch(() => {});
    await answered.promise;
    if (privateAddresses) expect(await knock.promise).toBe('knocked');
    stop.abort();
    await fetching;
    await ours.stop();
    knock.resolve('quiet');
    expect(await knock.promise).toBe(privateAddresses ? 'knocked' : 'quiet');
  },
  30_000,
);

test('records that are no providers are skipped, the rest of the answer is used', async () => {
  const [first, second] = [await newPeer(), await newPeer()];
  const { found, error } = await ask(
    ndjson(
      '',
      'not json',
      'null',
      '[1]',
      '{"ID":"12D3KooW"}',
      `{"ID":"${'1'.repeat(10_000)}"}`,
      '{"ID":"bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"}',
      `{"ID":"${first}","Addrs":["/ip4/1.2.3.4/tcp/1",7,"junk","/ip4/1.2.3.4",null]}`,
      `{"Schema":"bitswap","Protocol":"transport-bitswap","ID":"${second}","Addrs":{"length":3}}\r`,
    ),
  );
  expect(error).toBeUndefined();
  expect(found).toEqual([
    { id: first, addrs: ['/ip4/1.2.3.4/tcp/1', '/ip4/1.2.3.4'] },
    { id: second, addrs: [] },
  ]);
});

test('nothing found is no error, in each of the ways to say it', async () => {
  for (const answer of [
    ndjson(),
    json('{"Providers":[]}'),
    json('{"Providers":null}'),
    json('{}'),
    ((_request, response) => response.writeHead(404).end('no')) satisfies Answer,
  ]) {
    expect(await ask(answer)).toEqual({ found: [], error: undefined });
  }
});

const endless =
  (type: string, chunk: Buffer, headers = {}): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': type, ...headers });
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
  };

test.each<[string, string, Answer]>([
  ['a record without end', 'sends a record of more than', endless('application/x-ndjson', Buffer.alloc(4096, 'x'))],
  ['records without end', 'answers with more than', endless('application/x-ndjson', Buffer.from('{}\n'.repeat(1000)))],
  ['a document without end', 'answers with more than', endless('application/json', Buffer.alloc(65_536, ' '))],
  [
    'a bomb of compressed blanks',
    'answers with more than',
    (_request, response) => {
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(Buffer.alloc(64 * 1024 * 1024, ' ')));
    },
  ],
  ['no JSON', 'not a list of providers', json('<html>')],
  ['a document nested without end', 'not a list of providers', json('['.repeat(500_000))],
  ['a list that is none', 'not a list of providers', json('{"Providers":{"length":1000000000}}')],
  ['an error', 'answered with status 500', (_request, response) => void response.writeHead(500).end()],
  [
    'a web page',
    'content type "text/html"',
    (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('hi'),
  ],
  [
    'a redirect',
    'cannot be asked',
    (_request, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  ],
  ['a closed connection', 'cannot be asked', (request) => void request.socket.destroy()],
])('an answer that is %s ends the question with a reason', async (_what, reason, answer) => {
  const { error } = await ask(answer);
  expect(error).toBeInstanceOf(RouterError);
  expect(error).toMatchObject({
    code: 'ROUTER_FAILED',
    retryable: true,
    message: expect.stringContaining(reason) as string,
  });
});

test('an answer that drips for ever ends after its time, and what came before is used', async () => {
  const id = await newPeer();
  const { found, error } = await ask(
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write(`{"ID":"${id}"}\n`);
      const drip = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(drip));
    },
    { answerTimeoutMs: 500 },
  );
  expect(found).toEqual([{ id, addrs: [] }]);
  expect(error).toMatchObject({ code: 'ROUTER_FAILED', message: expect.stringContaining('within 500 ms') as string });
});

test('who stops asking closes the connection', async () => {
  const id = await newPeer();
  let closed = () => {};
  const gone = new Promise<void>((resolve) => (closed = resolve));
  const url = await server((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).write(`{"ID":"${id}"}\n`);
    response.on('close', closed);
  });
  const router = new DelegatedRouter(url, ROUTING_LIMITS);
  for await (const found of router.findProviders(CID, { signal: AbortSignal.timeout(20_000) })) {
    expect(found.id.toString()).toBe(id);
    break;
  }
  await gone;
});
