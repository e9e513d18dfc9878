import { describe, expect, it, vi } from 'vitest';
import type { Client } from '../provider/client.ts';
import type { Consumer } from '../provider/consumer.ts';
import type { Provider } from '../provider/provider.ts';
import { consumer, provider } from './fixtures.ts';
import { maintain, post, read, type Maintained } from './service-scene.ts';

const open = { services: { host: 'anyone' as const } };

interface Scene {
  host: Provider;
  service: Maintained;
  visitor: Consumer;
  client: Client;
}

async function scene(): Promise<Scene> {
  const host = await provider({ config: open });
  const service = await maintain(await consumer(), [host]);
  const visitor = await consumer({ routing: { bootstrap: host.addrs, privateAddresses: true } });
  return { host, service, visitor, client: await visitor.connect(host.addrs) };
}

function note({ client, service }: Scene, body: string, path = '/') {
  const limits = { priceMaxBytes: (path === '/slow' ? 6 : 1) * 1024 * 1024 };
  return client.prepare(service.handler, { method: 'POST', path, body }, limits, { service: service.publication.name });
}

describe('the same update', () => {
  it('sent again while it runs waits for it: one answer, one commit, one debt', async () => {
    const here = await scene();
    const { host, service, visitor, client } = here;
    const other = await visitor.connect(host.addrs);
    const task = note(here, 'once');
    const responses = await Promise.all([client.run(task), client.run(task), other.run(task)]);
    const texts = await Promise.all(responses.map((response) => response.text()));
    expect(texts).toEqual(['note 1', 'note 1', 'note 1']);
    const receipts = await Promise.all(responses.map(({ receipt }) => receipt));
    expect(new Set(receipts.map(({ cid }) => cid.toString())).size).toBe(1);
    expect(await read(visitor, service.publication.name)).toMatch(/\nonce\n$/);
    expect(await host.services.history(service.publication.name)).toHaveLength(1);
    const account = host.scoreLedger.getAccount(visitor.libp2p.peerId);
    expect(account.reserved).toBe(0);
    const query = host.activity.recent().find(({ method }) => method === 'GET')!;
    expect(account.workSent).toBe(receipts[0]!.receipt.priceBytes + query.priceBytes);
  });

  it('is done for whoever sent it too, when its first sender cancels', async () => {
    const here = await scene();
    const { host, visitor, client, service } = here;
    const other = await visitor.connect(host.addrs);
    const task = note(here, 'slow', '/slow');
    const cancelled = new AbortController();
    const first = client.run(task, { signal: cancelled.signal });
    await vi.waitFor(() => expect(host.activity.live()).toHaveLength(1), 30_000);
    const second = other.run(task);
    await vi.waitFor(() => expect(host.activity.live()).toHaveLength(2), 30_000);
    cancelled.abort(new Error('no patience'));
    await expect(first).rejects.toThrow('no patience');
    expect(await (await second).text()).toBe('note 1');
    expect(await host.services.history(service.publication.name)).toHaveLength(1);
  });
});

describe('updates of two consumers at once', () => {
  it('come one after the other: each sees all before it, and none is lost', async () => {
    const { host, service, visitor, client } = await scene();
    const other = await consumer({ routing: { bootstrap: host.addrs, privateAddresses: true } });
    const clients = [client, await other.connect(host.addrs)];
    const answers = Array.from({ length: 40 }, async (_, i) => {
      const response = await clients[i % 2]!.run(note({ host, service, visitor, client: clients[i % 2]! }, `${i}`));
      return Number((await response.text()).slice('note '.length));
    });
    const numbers = await Promise.all(answers);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    const notes = (await read(visitor, service.publication.name)).trimEnd().split('\n').slice(1);
    expect(notes).toEqual(numbers.map((_, i) => String(numbers.indexOf(i + 1))));
    expect((await post(other, service.publication.name, 'last')).commit).toBeDefined();
  });
});
