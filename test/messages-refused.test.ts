import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { testHandler } from 'workswap/testing';
import type { Consumer } from '../provider/consumer.ts';
import { assertAbi } from '../provider/sandbox/index.ts';
import { deliveryRequest, FOLLOW_UPS_MAX, serviceName, type ServiceMessage } from '../sdk/protocol/index.ts';
import { offer } from './fixtures.ts';
import { inboxOf, messagingProvider, peerOf, postboxAt, postboxHandler, sendBy } from './messages-scene.ts';
import { maintain, never, notesHandler, read, textOf } from './service-scene.ts';

const WAIT = { timeout: 60_000, interval: 10 };
const PEER = '12D3KooWKWnPDmm7xNydzDMMMGLtge7kYmdxJS1PXNN4eqE1hGCf';

describe('an update', async () => {
  const site = await testHandler(await postboxHandler());
  afterAll(() => site.close());
  const post = (query: string, path = '/') => site.post(`${path}?${query}`, 'hello');

  it('sends up to 64 messages, 64 KiB in each and 256 KiB in all', async () => {
    const sent = await post(`to=${PEER}&times=64`);
    expect(sent.messages.map((message) => message.text())).toEqual(Array.from({ length: 64 }, (_, i) => `hello ${i}`));
    expect(await post(`to=${PEER}&times=65`)).toMatchObject({ error: { code: 'SEND_LIMIT' }, messages: [] });
    expect((await post(`to=${PEER}&size=65536&times=4`)).messages).toHaveLength(4);
    expect(await post(`to=${PEER}&size=65536&times=5`)).toMatchObject({ error: { code: 'SEND_LIMIT' }, messages: [] });
    expect(await post(`to=${PEER}&size=65537`)).toMatchObject({ error: { code: 'SEND_LIMIT' }, messages: [] });
  });

  it('pays for each message and each of its bytes', async () => {
    const [none, one, two] = [await post(''), await post(`to=${PEER}`), await post(`to=${PEER}&to=${PEER}`)];
    expect(one.priceBytes - none.priceBytes).toBeGreaterThan(4096);
    expect(two.priceBytes - one.priceBytes).toBeGreaterThan(4096);
    const [small, large] = [await post(`to=${PEER}&size=1`), await post(`to=${PEER}&size=60001`)];
    expect(large.priceBytes - small.priceBytes).toBeGreaterThan(60_000);
  });

  it.each(['', 'nobody', 'k51nobody', PEER.toLowerCase(), `${PEER}x`, 'x'.repeat(200_000)])(
    'to a recipient that is none (%.20s) ends with INVALID_RECIPIENT',
    async (to) => {
      expect(await post(`to=${to}`)).toMatchObject({ error: { code: 'INVALID_RECIPIENT' }, messages: [] });
    },
  );

  it('that fails or traps, and a query, send nothing', async () => {
    expect(await post(`to=${PEER}`, '/fail')).toMatchObject({ error: { code: 'HANDLER_FAILED' }, messages: [] });
    expect(await post(`to=${PEER}`, '/trap')).toMatchObject({ error: { code: 'TRAP' }, messages: [] });
    expect(await site.get(`/send?to=${PEER}`)).toMatchObject({ error: { code: 'READ_ONLY' }, messages: [] });
  });

  it('that takes a message sends as many as may follow from it, and one more undoes it', async () => {
    const taken = await site.deliver(`twice ${PEER} x`, { followUps: 2 });
    expect(taken.messages.map((message) => message.text())).toEqual([`twice x ${PEER}`, `twice x ${PEER}`]);
    expect(site.state.files()).not.toEqual([]);
    for (const path of site.state.files()) site.state.remove(path);
    expect(await site.deliver(`twice ${PEER} x`, { followUps: 1 })).toMatchObject({
      error: { code: 'SEND_LIMIT' },
      messages: [],
    });
    expect(site.state.files()).toEqual([]);
  });
});

it('a module without deliver is refused a message, and a deliver of another type is refused as a module', async () => {
  const path = await mkdtemp(join(tmpdir(), 'workswap-deliver-'));
  await writeFile(
    join(path, 'index.ts'),
    `import { Request, Response } from 'workswap';
export function handle(req: Request): Response { return Response.text('x'); }`,
  );
  const site = await testHandler(join(path, 'index.ts'));
  expect((await site.deliver('x')).error?.message).toContain('takes no messages');
  await site.close();
  await rm(path, { recursive: true });
  const shape = [
    { name: 'memory', kind: 'memory' },
    { name: 'handle', kind: 'func' },
    { name: 'deliver', kind: 'func', params: 'i32' },
  ];
  expect(() => assertAbi({ imports: [], exports: shape })).toThrow('deliver is (i32) -> ()');
});

it('what a recipient refuses is told by its sender, and holds nothing back; what fails is undone', async () => {
  const host = await messagingProvider();
  const ada = await peerOf(host);
  const box = await postboxAt(ada, [host]);
  const other = await postboxAt(ada, [host]);
  const notes = await maintain(ada, [host]);
  const deaf = serviceName(notes.key.publicKey);
  await sendBy(ada, box.name, `to=${deaf}&to=${other.name}`, 'fail');
  await sendBy(ada, box.name, `to=${deaf}&to=${other.name}`, 'fine');
  await vi.waitFor(() => expect(host.messages.figures(box.name).ended).toHaveLength(3), WAIT);
  const ended = host.messages.figures(box.name).ended.map(({ to, code }) => ({ to, code }));
  expect(ended).toEqual(
    expect.arrayContaining([
      { to: deaf, code: 'NO_DELIVER' },
      { to: other.name, code: 'HANDLER_FAILED' },
    ]),
  );
  await vi.waitFor(async () => expect(await inboxOf(ada, other.name)).toEqual(['fine']), WAIT);
  expect(await read(ada, deaf)).not.toContain('fine');
});

it('two services that answer each other stop after 16 messages, and so does one that answers itself twice', async () => {
  const host = await messagingProvider();
  const far = await messagingProvider();
  const ada = await peerOf(host, far);
  const one = await postboxAt(ada, [host]);
  const two = await postboxAt(ada, [far]);
  await host.libp2p.dial(far.libp2p.getMultiaddrs());
  await sendBy(ada, one.name, `to=${two.name}`, `pass ${one.name} ${two.name}`);
  // The last one is undone where it comes to, since it would have been followed by one more.
  await vi.waitFor(() => expect(far.messages.figures(two.name).ended).toMatchObject([]), WAIT);
  await vi.waitFor(() => expect(host.messages.figures(one.name).ended).toMatchObject([{ code: 'SEND_LIMIT' }]), WAIT);
  expect((await inboxOf(ada, one.name)).length + (await inboxOf(ada, two.name)).length).toBe(FOLLOW_UPS_MAX);
  await sendBy(ada, two.name, `to=${two.name}`, `twice ${two.name} ${two.name}`);
  await vi.waitFor(() => {
    expect(far.messages.figures(two.name)).toMatchObject({ waiting: 0 });
    expect(far.messages.figures(two.name).ended.length).toBeGreaterThan(0);
  }, WAIT);
  const answered = (await inboxOf(ada, two.name)).filter((text) => text.startsWith('twice'));
  expect(answered.length).toBeGreaterThan(2);
  expect(answered.length).toBeLessThanOrEqual(1 + FOLLOW_UPS_MAX);
});

describe('a message in the name of another', async () => {
  const from = async (node: Consumer, service: string, message: Partial<ServiceMessage>) => {
    const whole = { id: randomBytes(16), timeMs: Date.now(), followUps: 0, body: Buffer.from('forged'), ...message };
    const request = deliveryRequest({ from: node.libp2p.peerId.toString(), ...whole });
    const response = await node.runner.run(await node.runner.resolve(service, never), request, never);
    await textOf(response);
    return (await response.receipt()).receipt;
  };

  it('is refused: a peer speaks for itself, and for no service that does not name it', async () => {
    const host = await messagingProvider();
    const elsewhere = await messagingProvider();
    const ada = await peerOf(host, elsewhere);
    const eve = await peerOf(host, elsewhere);
    const box = await postboxAt(ada, [host]);
    const sender = await postboxAt(ada, [elsewhere]);
    await from(eve, box.name, { body: Buffer.from('in my own name') });
    const unproven = { code: 'SENDER_UNPROVEN' };
    await expect(from(eve, box.name, { from: ada.libp2p.peerId.toString() })).rejects.toMatchObject(unproven);
    await expect(from(eve, box.name, { from: sender.name })).rejects.toMatchObject(unproven);
    await expect(from(eve, box.name, { from: box.name })).rejects.toMatchObject(unproven);
    // The maintainer's key names providers; its peer is none of them.
    await expect(from(ada, box.name, { from: sender.name })).rejects.toMatchObject(unproven);
    expect(await inboxOf(ada, box.name)).toEqual(['in my own name']);
  });

  it('cannot be sent through a gateway, which runs as the provider itself', async () => {
    const host = await messagingProvider();
    const ada = await peerOf(host);
    const box = await postboxAt(ada, [host]);
    for (const name of [box.name, host.peerId.toString()]) {
      const request = deliveryRequest({
        id: randomBytes(16),
        from: name,
        timeMs: Date.now(),
        followUps: 0,
        body: Buffer.from('x'),
      });
      const run = host.runner.run(await host.runner.resolve(box.name, never), request, never);
      await expect(run).rejects.toMatchObject({ code: 'BAD_DELIVERY' });
    }
    expect(await inboxOf(ada, box.name)).toEqual([]);
  });

  it('is taken once whatever the task, and not when it is too old or of tomorrow', async () => {
    const host = await messagingProvider();
    const ada = await peerOf(host);
    const box = await postboxAt(ada, [host]);
    const id = randomBytes(16);
    await from(ada, box.name, { id });
    await expect(from(ada, box.name, { id, body: Buffer.from('other') })).rejects.toMatchObject({
      code: 'ALREADY_APPLIED',
    });
    const day = 24 * 3_600_000;
    for (const timeMs of [0, Date.now() - 9 * day]) {
      await expect(from(ada, box.name, { timeMs })).rejects.toMatchObject({ code: 'MESSAGE_EXPIRED' });
    }
    for (const timeMs of [Date.now() + day, 2 ** 53 - 1]) {
      const early = { code: 'MESSAGE_EARLY', retryable: true };
      await expect(from(ada, box.name, { timeMs })).rejects.toMatchObject(early);
    }
    await from(ada, box.name, { timeMs: Date.now() - 7 * day });
    expect(await inboxOf(ada, box.name)).toHaveLength(2);
  });

  it('and a DELIVER that is no message, or is for no service, is refused as such', async () => {
    const host = await messagingProvider();
    const ada = await peerOf(host);
    const box = await postboxAt(ada, [host]);
    const service = await ada.runner.resolve(box.name, never);
    const run = ada.runner.run(service, { method: 'DELIVER', path: '/', headers: { from: 'x' } }, never);
    await expect(run).rejects.toMatchObject({ code: 'BAD_DELIVERY' });
    const handler = await offer(ada, await notesHandler());
    const client = await ada.connect(host.addrs);
    const message = {
      id: randomBytes(16),
      from: ada.libp2p.peerId.toString(),
      timeMs: Date.now(),
      followUps: 0,
      body: Buffer.from('x'),
    };
    await expect(client.call(handler, deliveryRequest(message))).rejects.toMatchObject({ code: 'BAD_DELIVERY' });
  });
});
