import { join } from 'node:path';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, it, vi } from 'vitest';
import { hostAt, makePublication } from '../provider/services/index.ts';
import { buildHandler } from '../sdk/build/index.ts';
import { directory, offer } from './fixtures.ts';
import { endpointOf } from './mailbox-scene.ts';
import { messagingProvider, peerOf } from './messages-scene.ts';
import { workswap } from './processes.ts';
import { never, textOf } from './service-scene.ts';

/** Goal: what the README of the guestbook says. Method: the commands, and a visitor. */
it('who watches the guestbook with the commands reads what visitors wrote in the mail', async () => {
  const home = join(await directory(), 'home');
  const host = await messagingProvider();
  const visitor = await peerOf(host);
  const key = await generateKeyPair('Ed25519');
  const handler = await offer(visitor, (await buildHandler('handlers/guestbook/assembly/index.ts')).wasm);
  const publication = await makePublication(key, { handler, endpoints: [endpointOf(host)] }, 1);
  const { name } = publication;
  await visitor.libp2p.dial(host.addrs.map((addr) => multiaddr(addr)));
  await hostAt(visitor.libp2p, host.peerId, publication, key, { signal: never });
  const command = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await workswap([...args, '--home', home, '--json']);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return JSON.parse(stdout.toString()) as Record<string, unknown>;
  };
  const at = host.addrs[0]!;
  await command('mail', 'open', '--at', at);
  const sent = await command('message', name, 'watch', '--at', at);
  expect(sent).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{32}$/), commit: expect.any(String) });
  const wrong = await workswap(['message', name, 'hello', '--at', at, '--home', home]);
  expect(wrong).toMatchObject({ code: 4, stderr: expect.stringContaining('send "watch" or "unwatch"') });

  const sign = new URLSearchParams({ name: 'Ada', message: 'from 1843' }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const request = { method: 'POST', path: '/sign', headers, body: sign };
  const response = await visitor.runner.run(await visitor.runner.resolve(name, never), request, never);
  await textOf(response);
  await vi.waitFor(() => expect(host.messages.figures(name)).toMatchObject({ waiting: 0, ended: [] }), {
    timeout: 60_000,
  });
  const { letters } = (await command('mail', 'ls')) as { letters: { id: string }[] };
  expect(letters).toMatchObject([{ from: name, subject: 'Message of a service' }]);
  const letter = await command('mail', 'read', letters[0]!.id);
  expect(letter).toMatchObject({ from: name, text: 'Ada wrote: from 1843' });
});
