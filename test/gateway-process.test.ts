import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { directory } from './fixtures.ts';
import { openReceipt } from '../sdk/protocol/index.ts';
import { ask, probe } from './gateway-scene.ts';
import { startProvider, startServer, workswap, type ServerProcess } from './processes.ts';

/** Goal: what a user starts serves, and ends with Ctrl-C. Method: the commands as processes, real HTTP, a page under way at the end. */

const LOOPBACK = '127.0.0.1:0';

function portOf({ gateway }: ServerProcess): { port: number } {
  return { port: Number(new URL(gateway!).port) };
}

test('a provider with a gateway and a gateway without a provider serve the same site, and end cleanly by Ctrl-C', async () => {
  const data = await directory();
  const home = await directory();
  await mkdir(join(data, 'public'));
  await writeFile(join(data, 'public', 'about.html'), '<p>static');
  await writeFile(join(data, 'probe.wasm'), await probe());
  const provider = await startProvider({ data, args: ['--no-first-job', '--gateway', LOOPBACK] });
  onTestFinished(() => provider.kill());
  const files = ['--handler', join(data, 'probe.wasm'), '--site', join(data, 'public')];
  const created = await workswap(['service', 'create', 'probe', ...files, '--data', data, '--json']);
  expect(created.code, created.stderr).toBe(0);
  const { service } = JSON.parse(created.stdout.toString()) as { service: string };
  const peer = ['--peer', provider.addrs[0]!];
  const gateway = await startServer(['gateway', '--json', '--home', home, '--listen', LOOPBACK, ...peer]);
  onTestFinished(() => gateway.kill());

  for (const server of [provider, gateway]) {
    const at = portOf(server);
    const host = `${service}.localhost:${at.port}`;
    expect((await ask(at, '/about.html', { host })).text).toBe('<p>static');
    const page = await ask(at, '/x', { host });
    expect(JSON.parse(page.text)).toMatchObject({ method: 'GET', path: '/x' });
    expect(Number(page.headers['x-workswap-price'])).toBeGreaterThan(0);
    // A gateway without a provider has its receipts from the endpoint anyway; the provider's own makes one when it is asked.
    expect(page.headers['x-workswap-receipt'] === undefined).toBe(server === provider);
    const { body } = await ask(at, '/x?format=receipt', { host });
    expect(openReceipt(body).receipt.provider).toBe(provider.peerId);
    expect((await ask(at, `/ipns/${service}?format=ipns-record`)).status).toBe(200);
  }

  // What is open does not keep a server from ending: a connection that waits, and a request whose body does not come.
  for (const server of [gateway, provider]) {
    const { port } = portOf(server);
    for (const bytes of ['', `POST /x HTTP/1.1\r\nHost: ${service}.localhost\r\nContent-Length: 9\r\n\r\n`]) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(bytes);
    }
    expect(await server.stop('SIGINT')).toBe(0);
    await expect(ask({ port }, '/')).rejects.toThrow();
  }
});

test('an address that is taken, or that is none, is said with what to do, before anything is served', async () => {
  const home = await directory();
  const gateway = await startServer(['gateway', '--json', '--home', home, '--listen', LOOPBACK]);
  onTestFinished(() => gateway.kill());
  const { port } = portOf(gateway);
  for (const [listen, says] of [
    [`127.0.0.1:${port}`, /Choose another port/],
    ['nowhere', /HOST:PORT/],
  ] as const) {
    const failed = await workswap(['gateway', '--home', await directory(), '--listen', listen]);
    expect(failed.code).toBeGreaterThan(0);
    expect(failed.stderr).toMatch(says);
  }
  expect((await workswap(['gateway', '--peer', '/ip4/127.0.0.1'])).code).toBe(2);
  expect(await gateway.stop('SIGINT')).toBe(0);
});
