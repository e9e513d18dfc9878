import { generateKeyPair } from '@libp2p/crypto/keys';
import { describe, expect, it } from 'vitest';
import { makePublication } from '../provider/services/index.ts';
import type { ServiceResponse } from '../provider/services/index.ts';
import type { Provider } from '../provider/provider.ts';
import { directory, handler, offer, provider } from './fixtures.ts';

const never = new AbortController().signal;

async function hostHello(host: Provider): Promise<{ name: string }> {
  const key = await generateKeyPair('Ed25519');
  const publication = await makePublication(
    key,
    {
      handler: await offer(host, await handler('hello')),
      endpoints: [{ peer: host.peerId.toString(), addrs: host.addrs }],
    },
    1,
  );
  await host.services.host(publication);
  return { name: publication.name };
}

async function text({ body }: ServiceResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('a provider hosts its own service', () => {
  it('and its runner answers queries and updates with signed receipts that name the state', async () => {
    const dataDir = await directory();
    const host = await provider({ dataDir });
    const { name } = await hostHello(host);
    const service = await host.runner.resolve(name, never);
    const query = await host.runner.run(service, { path: '/?name=Ada' }, never);
    expect(query.status).toBe(200);
    expect(await text(query)).toContain('Ada');
    const { receipt } = await query.receipt;
    expect(receipt.state?.equals(host.services.get(name)!.root)).toBe(true);
    expect(receipt.commit).toBeUndefined();
    const update = await host.runner.run(service, { method: 'POST', path: '/', body: 'x' }, never);
    expect((await update.receipt).receipt.state).toBeDefined();
    await host.stop();
    const again = await provider({ dataDir });
    expect(again.services.list().map((hosted) => hosted.name)).toEqual([name]);
    await expect(again.runner.resolve('nowhere', never)).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' });
  });

  it('gives the kept answer to an update that is sent again', async () => {
    const host = await provider();
    const { name } = await hostHello(host);
    const service = await host.runner.resolve(name, never);
    const request = { method: 'POST', path: '/', body: 'x', timeMs: Date.now(), seed: new Uint8Array(32) };
    const first = await host.runner.run(service, request, never);
    const second = await host.runner.run(service, request, never);
    expect(await text(second)).toBe(await text(first));
    expect((await second.receipt).cid.equals((await first.receipt).cid)).toBe(true);
    const late = { ...request, timeMs: Date.now() - 6 * 60_000 };
    await expect(host.runner.run(service, late, never)).rejects.toMatchObject({ code: 'TASK_EXPIRED' });
  });
});
