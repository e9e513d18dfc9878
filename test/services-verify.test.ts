import { generateKeyPair } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { verify, type Client, type PreparedTask } from '../provider/client.ts';
import { createConsumer, type Consumer } from '../provider/consumer.ts';
import { createProvider, type Provider } from '../provider/provider.ts';
import { dagCborCid, encodeCommit, sealReceipts, type Commit, type Receipt } from '../sdk/protocol/index.ts';
import { LISTEN } from './fixtures.ts';
import { maintain, type Maintained } from './service-scene.ts';

interface Answered {
  task: PreparedTask;
  receipt: Receipt;
}

let key: PrivateKey;
let host: Provider;
let maintainer: Consumer;
let visitor: Consumer;
let client: Client;
let service: Maintained;

beforeAll(async () => {
  key = await generateKeyPair('Ed25519');
  host = await createProvider({
    privateKey: key,
    config: { node: { listen: [LISTEN] }, services: { host: 'anyone' } },
  });
  maintainer = await createConsumer();
  visitor = await createConsumer();
  service = await maintain(maintainer, [host]);
  client = await visitor.connect(host.addrs);
});

afterAll(async () => {
  await Promise.all([visitor.stop(), maintainer.stop()]);
  await host.stop();
});

async function ask(request: { method?: string; path?: string; body?: string }): Promise<Answered> {
  const task = client.prepare(
    service.handler,
    request,
    { priceMaxBytes: 1024 * 1024 },
    { service: service.publication.name },
  );
  const response = await client.run(task);
  await response.bytes();
  const sealed = await response.receipt;
  await visitor.keepEvidence(client, task, sealed);
  return { task, receipt: sealed.receipt };
}

async function forged(receipt: Receipt): Promise<string[]> {
  const [sealed] = sealReceipts([receipt], key);
  const { verified, differs } = await verify(sealed!, visitor);
  expect(verified).toBe(differs.length === 0);
  return differs;
}

/** A commit as a provider would like to have it, held where whoever verifies will find it. */
async function commitWith(receipt: Receipt, change: (commit: Commit) => Commit): Promise<Receipt> {
  const [entry] = await host.services.history(service.publication.name, { from: receipt.commit!, limit: 1 });
  const { cid: _, ...commit } = entry!;
  const bytes = encodeCommit(change({ ...commit, service: service.publication.name }));
  const cid = dagCborCid(bytes);
  await host.blocks.put(cid, bytes);
  return { ...receipt, commit: cid };
}

describe('whoever has a receipt of a service', () => {
  it('runs a query again at its root and an update in its commit, and finds what is true to be true', async () => {
    const first = await ask({ method: 'POST', body: 'one' });
    const query = await ask({ path: '/' });
    const together = await Promise.all(['two', 'three', 'four'].map((body) => ask({ method: 'POST', body })));
    for (const { receipt } of [first, query, ...together]) expect(await forged(receipt)).toEqual([]);
    expect(query.receipt.state).toBeDefined();
    expect(query.receipt.commit).toBeUndefined();
    expect(first.receipt.commit).toBeDefined();
  });

  it('is told what differs when the provider answers from a state that it made up', async () => {
    const update = await ask({ method: 'POST', body: 'five' });
    const query = await ask({ path: '/' });
    // What was answered does not follow from the state before the last update.
    expect(await forged({ ...query.receipt, state: update.receipt.state! })).toContain('output');
    const { state: _, ...blind } = query.receipt;
    expect(await forged(blind)).toContain('state');
    expect(await forged({ ...query.receipt, commit: update.receipt.commit! })).toContain('commit');
  });

  it('is told what differs when the provider tampers with a commit', async () => {
    const other = await ask({ method: 'POST', body: 'six' });
    const { receipt } = await ask({ method: 'POST', body: 'seven' });
    const tampered = (change: (commit: Commit) => Commit): Promise<string[]> =>
      commitWith(receipt, change).then(forged);
    expect(await tampered((commit) => ({ ...commit, after: commit.before }))).toEqual(['after']);
    expect(await tampered((commit) => ({ ...commit, tasks: [] }))).toEqual(['after', 'commit']);
    expect(await tampered((commit) => ({ ...commit, before: other.receipt.state! }))).toContain('state');
    const twice = await tampered((commit) => ({ ...commit, tasks: [other.receipt.task, ...commit.tasks] }));
    expect(twice).toContain('after');
    const { commit: _, ...alone } = receipt;
    expect(await forged(alone)).toContain('commit');
  });
});
