import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { rawCid } from '../sdk/protocol/index.ts';
import { consumer, directory, handler, provider } from './fixtures.ts';
import { startProvider, workswap } from './processes.ts';

/** Goal: a consumer finds content through the routers of its own configuration, as a provider does. */

interface Named {
  peerId: { toString(): string };
  addrs: string[];
}

/** A server of delegated routing that names this peer for every CID. Answers its URL and what it was asked. */
async function routerNaming(peer: () => Named): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const http = createServer((request, response) => {
    asked.push(request.url ?? '');
    const { peerId, addrs } = peer();
    const record = { Schema: 'peer', ID: peerId.toString(), Addrs: addrs, Protocols: ['transport-bitswap'] };
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(JSON.stringify(record));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => http.once('listening', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, asked };
}

test('a consumer finds the block of a provider that nobody named to it, through a router', async () => {
  const host = await provider();
  const bytes = randomBytes(4000);
  const cid = rawCid(bytes);
  await host.blocks.put(cid, bytes);
  const { url, asked } = await routerNaming(() => host);
  const ours = await consumer({ routing: { delegated: [url], privateAddresses: true } });
  const got = await ours.bitswap.get(cid, { signal: AbortSignal.timeout(20_000) });
  expect(Buffer.compare(got, bytes)).toBe(0);
  expect(asked).toEqual([`/routing/v1/providers/${cid.toString()}`]);
  expect(ours.scoreLedger.getReceipt(host.peerId)).toMatchObject({ recv: 4000 });
}, 30_000);

test('a consumer without routing asks nobody, and wrong routing is named', async () => {
  const ours = await consumer();
  expect(ours.routing.router).toBeUndefined();
  await expect(consumer({ routing: { delegated: ['ftp://example.com'] } })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('routing.delegated.0') as string,
  });
});

test('`workswap verify` finds a provider that moved, through the routers in the consumer directory', async () => {
  const files = await directory();
  const data = join(files, 'provider');
  const home = join(files, 'home', 'consumer');
  const env = { WORKSWAP_HOME: join(files, 'home') };
  await writeFile(join(files, 'hello.wasm'), await handler('hello'));
  let host = await startProvider({ data });
  const published = await workswap(['publish', join(files, 'hello.wasm'), '--data', data]);
  const called = await workswap(['call', host.addrs[0]!, published.stdout.toString().trim(), '--json'], { env });
  expect(called.code, called.stderr).toBe(0);
  await writeFile(join(files, 'answer.json'), called.stdout);
  await host.stop();
  host = await startProvider({ data });
  onTestFinished(() => host.kill());

  const { url, asked } = await routerNaming(() => host);
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'workswap.toml'), `[routing]\ndelegated = ["${url}"]\nprivateAddresses = true\n`);
  const verified = await workswap(['verify', join(files, 'answer.json'), '--json'], { env });
  expect(verified.code, verified.stderr).toBe(0);
  expect(JSON.parse(verified.stdout.toString())).toMatchObject({ verified: true });
  expect(asked).not.toEqual([]);

  await writeFile(join(home, 'workswap.toml'), '[routing]\ndht = "yes"\n');
  const wrong = await workswap(['call', host.addrs[0]!, join(files, 'hello.wasm')], { env });
  expect(wrong.code).not.toBe(0);
  expect(wrong.stderr).toContain('workswap.toml: routing.dht');
}, 120_000);
