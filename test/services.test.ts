import { generateKeyPair } from '@libp2p/crypto/keys';
import { describe, expect, it } from 'vitest';
import { makePublication } from '../provider/services/index.ts';
import type { ServiceResponse } from '../provider/services/index.ts';
import type { Provider } from '../provider/provider.ts';
import { DEFAULT_LIMITS, normalizeRequest } from '../sdk/client/index.ts';
import { dagCborCid, encodeInput, openReceipt, taskCid } from '../sdk/protocol/index.ts';
import { consumer, directory, handler, offer, provider } from './fixtures.ts';
import { maintain, never, post } from './service-scene.ts';

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
    const { receipt } = await query.receipt();
    expect(receipt.state?.equals(host.services.get(name)!.root)).toBe(true);
    expect(receipt.commit).toBeUndefined();
    expect((await query.receipt()).receipt).toBe(receipt);
    const update = await host.runner.run(service, { method: 'POST', path: '/', body: 'x' }, never);
    expect((await update.receipt()).receipt.state).toBeDefined();
    await host.stop();
    const again = await provider({ dataDir });
    expect(again.services.list().map((hosted) => hosted.name)).toEqual([name]);
    await expect(again.runner.resolve('nowhere', never)).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' });
  });

  it('signs the receipt of a query when somebody asks, of the state it ran at', async () => {
    const host = await provider({ config: { services: { host: 'anyone' } } });
    const { publication } = await maintain(await consumer(), [host]);
    await post(host, publication.name, 'first');
    const service = await host.runner.resolve(publication.name, never);
    const before = host.services.get(publication.name)!.root;
    const request = { method: 'GET', path: '/', timeMs: Date.now(), seed: new Uint8Array(32) };
    const query = await host.runner.run(service, request, never);
    const counted = host.activity.recent()[0]!;
    await post(host, publication.name, 'second');
    expect(host.services.get(publication.name)!.root.equals(before)).toBe(false);
    const sealed = await query.receipt();
    const { receipt } = openReceipt(sealed.bytes);
    expect(receipt.state?.equals(before)).toBe(true);
    expect(receipt.output.equals(query.figures!.output())).toBe(true);
    expect([receipt.priceBytes, receipt.usage.fuel]).toEqual([query.figures!.priceBytes, query.figures!.fuel]);
    expect(counted).toMatchObject({ code: 'OK', priceBytes: receipt.priceBytes, fuel: receipt.usage.fuel });

    const input = encodeInput(normalizeRequest(request), host.peerId.toString());
    expect(receipt.input.equals(dagCborCid(input))).toBe(true);
    const { handler } = service;
    const task = { handler, input: receipt.input, limits: DEFAULT_LIMITS, service: publication.name };
    expect(receipt.task.equals(taskCid(task))).toBe(true);
  });

  it('gives the kept answer to an update that is sent again', async () => {
    const host = await provider();
    const { name } = await hostHello(host);
    const service = await host.runner.resolve(name, never);
    const request = { method: 'POST', path: '/', body: 'x', timeMs: Date.now(), seed: new Uint8Array(32) };
    const first = await host.runner.run(service, request, never);
    const second = await host.runner.run(service, request, never);
    expect(await text(second)).toBe(await text(first));
    expect((await second.receipt()).cid.equals((await first.receipt()).cid)).toBe(true);
    const late = { ...request, timeMs: Date.now() - 6 * 60_000 };
    await expect(host.runner.run(service, late, never)).rejects.toMatchObject({ code: 'TASK_EXPIRED' });
  });
});
