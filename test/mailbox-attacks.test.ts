import { randomBytes } from 'node:crypto';
import { encode } from '@ipld/dag-cbor';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Stream } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { expect, it, onTestFinished } from 'vitest';
import type { Consumer } from '../provider/consumer.ts';
import { DEFAULT_SETTINGS, Inbox, MAILBOX_PROTOCOL } from '../provider/mailbox/index.ts';
import { createNode, startNode } from '../provider/node/index.ts';
import type { Provider } from '../provider/provider.ts';
import { FrameReader, FrameWriter, type Endpoint } from '../sdk/protocol/index.ts';
import { decodeMap } from '../sdk/protocol/signed.ts';
import { consumer, LISTEN, offer } from './fixtures.ts';
import { endpointOf, mailboxClient, mailboxProvider, recipient, sender } from './mailbox-scene.ts';

const body = Buffer.alloc(100, 'x');
const KIB = 1024;

function code(error: unknown): unknown {
  return (error as { code?: string }).code;
}

type Fields = Record<string, unknown>;

/** Frames as a peer sends them that does not use our client. */
async function raw(host: Provider, node: Consumer): Promise<{ ask(fields: object): Promise<Fields> }> {
  await node.connect(host.addrs);
  const stream = await node.libp2p.dialProtocol(host.peerId, MAILBOX_PROTOCOL);
  const waiting: PromiseWithResolvers<Fields>[] = [];
  const reader = new FrameReader(2 * KIB * KIB);
  stream.addEventListener('message', ({ data }) =>
    reader.push(data, (frame) => waiting.shift()?.resolve(decodeMap('', frame))),
  );
  stream.addEventListener('close', () => {
    for (const { reject } of waiting) reject(new Error('The stream has ended'));
  });
  const writer = new FrameWriter(stream, (error) => stream.abort(error));
  return {
    ask(fields) {
      const answer = Promise.withResolvers<Fields>();
      if (stream.status === 'open') waiting.push(answer);
      else answer.reject(new Error('The stream has ended'));
      writer.write(encode(fields));
      return answer.promise;
    },
  };
}

it('many peers together fill a provider no further than it allows: mailboxes, messages, files', async () => {
  const mailbox = { host: 'anyone', mailboxesMax: 2, bytesMax: 1_500, filesBytesPerSenderMax: 5_000 } as const;
  const host = await mailboxProvider({
    config: { mailbox: { ...mailbox, fileBytesMax: 4_000, filesBytesMax: 7_000 } },
  });
  const [bob, carol] = [await recipient([host]), await recipient([host])];
  await expect(recipient([host])).rejects.toMatchObject({ code: 'MAILBOX_LIMIT' });
  const senders = [await sender(host), await sender(host)];
  const [adas, eves] = [await senders[0]!.client.at(endpointOf(host)), await senders[1]!.client.at(endpointOf(host))];
  const puts = [adas, eves].flatMap((from) =>
    [bob, carol].flatMap(({ peer }) => [1, 2, 3].map(() => from.put(peer, randomBytes(16), body))),
  );
  const ends = (await Promise.allSettled(puts)).map((end) => (end.status === 'rejected' ? code(end.reason) : 'stored'));
  expect(ends.filter((end) => end === 'stored').length).toBe(4);
  expect(new Set(ends)).toEqual(new Set(['stored', 'STORE_LIMIT']));
  const file = async (which: number, bytes: number) => offer(senders[which]!.node, randomBytes(bytes));
  const to = bob.peer;
  await expect(adas.hold(to, await file(0, 4_001), 4_001)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  // Said to be smaller than it is.
  await expect(adas.hold(to, await file(0, 3_000), 10)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  await adas.hold(to, await file(0, 4_000), 4_000);
  await expect(adas.hold(to, await file(0, 2_000), 2_000)).rejects.toMatchObject({ code: 'SENDER_LIMIT' });
  await eves.hold(to, await file(1, 3_000), 3_000);
  await expect(eves.hold(to, await file(1, 500), 500)).rejects.toMatchObject({ code: 'STORE_LIMIT' });
  expect(host.mailboxes.figures(1).totals).toMatchObject({ messages: 4, files: 2, filesBytes: 7_000 });
});

it('a device that takes and never acknowledges, and one that opens ever more streams, come to an end', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const ada = await sender(host);
  const [own, adas] = [await bob.client.at(endpointOf(host)), await ada.client.at(endpointOf(host))];
  for (let i = 0; i < 4; i++) {
    await Promise.all(Array.from({ length: 1_000 }, () => adas.put(bob.peer, randomBytes(16), new Uint8Array())));
  }
  let taken = 0;
  let refusal: unknown;
  while (refusal === undefined) {
    const page = await own.take({ limit: 1_000 }).catch((error: unknown) => void (refusal = error));
    taken += page?.messages.length ?? 0;
  }
  expect(refusal).toMatchObject({ code: 'TOO_MANY_TAKEN' });
  expect(taken).toBe(4_000);
  const eve = await consumer();
  const streams = [];
  for (let i = 0; i < 12; i++) streams.push(await raw(host, eve));
  const answers = await Promise.allSettled(streams.map(({ ask }) => ask({ id: 1, ask: 'rates' })));
  expect(answers.filter(({ status }) => status === 'fulfilled').length).toBe(8);
});

it('a question that is not as it should be is refused, each by its id, and the stream goes on', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const { ask } = await raw(host, await consumer());
  const put = {
    ask: 'put',
    to: bob.peer.toString(),
    message: randomBytes(16),
    body,
    ttlMs: 60_000,
    priceMaxBytes: 1e6,
  };
  const peers = (count: number): string[] => Array.from({ length: count }, () => bob.peer.toString());
  const bad: object[] = [
    { ask: 'nothing' },
    { ask: 'rates', more: 1 },
    { ask: 'close', peer: bob.peer.toString() },
    { ...put, ttlMs: -1 },
    { ...put, ttlMs: 0.5 },
    { ...put, priceMaxBytes: 'all' },
    { ...put, message: randomBytes(15) },
    { ...put, body: 'text' },
    { ...put, body: new Uint8Array(256 * KIB + 1) },
    { ...put, to: 'bob' },
    // The same peer in another spelling would be another mailbox.
    { ...put, to: bob.peer.toCID().toString() },
    { ask: 'hold', to: put.to, root: 'bafy', bytes: 1, ttlMs: 1_000, priceMaxBytes: 1 },
    { ask: 'take', limit: 1_001, bytesMax: 1 },
    { ask: 'take', limit: 1, bytesMax: 2 ** 40 },
    { ask: 'list', after: -1, limit: 1 },
    { ask: 'acknowledge', sequences: Array.from({ length: 4_097 }, (_, i) => i) },
    { ask: 'status', to: put.to, messages: Array.from({ length: 1_001 }, () => randomBytes(16)) },
    { ask: 'open', settings: { ...DEFAULT_SETTINGS, payer: 'nobody' } },
    { ask: 'open', settings: { ...DEFAULT_SETTINGS, blocked: peers(1_025) } },
  ];
  const answers = await Promise.all(bad.map((question, i) => ask({ ...question, id: i + 1 })));
  expect(answers.map(({ id, error }) => [id, (error as Fields | undefined)?.['code']])).toEqual(
    bad.map((_, i) => [i + 1, 'BAD_REQUEST']),
  );
  expect(await ask({ ...put, id: 99 })).toMatchObject({ id: 99, ok: { state: 'waiting' } });
});

/** A provider that answers what a test tells it to. */
async function hostileHost(answer: (question: Fields, stream: Stream) => object | undefined): Promise<Endpoint> {
  const privateKey = await generateKeyPair('Ed25519');
  const limits = { connectionsMax: 20, connectionRatePerHostMax: 100, streamsPerConnectionMax: 100 };
  const libp2p = await createNode({ privateKey, listen: [LISTEN], ...limits, parts: {} });
  await startNode(libp2p, [LISTEN]);
  onTestFinished(() => libp2p.stop());
  await libp2p.handle(MAILBOX_PROTOCOL, (stream) => {
    const reader = new FrameReader(KIB * KIB);
    const writer = new FrameWriter(stream, (error) => stream.abort(error));
    stream.addEventListener('message', ({ data }) =>
      reader.push(data, (frame) => {
        const question = decodeMap('', frame);
        const said = answer(question, stream);
        if (said !== undefined) writer.write(encode({ id: question['id'], ...said }));
      }),
    );
  });
  return { peer: libp2p.peerId.toString(), addrs: libp2p.getMultiaddrs().map(String) };
}

it('a provider that lies is not believed, and costs no more than was allowed', async () => {
  const from = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString();
  const message = {
    sequence: 1,
    from,
    id: randomBytes(16),
    body,
    ageMs: 0,
    expiresInMs: 1_000,
    priceBytes: 0,
  };
  let said: object | undefined;
  const place = await hostileHost((_, stream) => {
    if (said === undefined) stream.abort(new Error('gone'));
    return said;
  });
  const client = mailboxClient(await consumer());
  const endpoint = await client.at(place);
  const asked = async (answer: object | undefined, ask: () => Promise<unknown>): Promise<unknown> => {
    said = answer;
    return ask().then(() => 'believed', code);
  };
  const take = () => endpoint.take();
  const put = () => endpoint.put(from, randomBytes(16), body, { priceMaxBytes: 1_000 });
  const page = (...messages: object[]) => ({ ok: { messages, more: false } });
  const lies: [object | undefined, () => Promise<unknown>][] = [
    [{ ok: { state: 'waiting', priceBytes: 1_001 } }, put],
    [{ ok: { state: 'waiting', priceBytes: -1 } }, put],
    [{ ok: { state: 'eaten', priceBytes: 0 } }, put],
    [{ ok: [] }, put],
    [page({ ...message, priceBytes: 2 ** 50 }), take],
    [page({ ...message, from: 'somebody' }), take],
    [page({ ...message, id: randomBytes(8) }), take],
    [page({ ...message, sequence: 1.5 }), take],
    [page({ ...message, body: new Uint8Array(256 * KIB + 1) }), take],
    [page(...Array.from({ length: 1_001 }, () => ({ ...message, body: new Uint8Array() }))), take],
    [{ ok: { messages: 3, priceBytes: 2 ** 27 } }, () => endpoint.closeMailbox()],
    [{ ok: { messages: 2 ** 50, priceBytes: 2 ** 50 } }, () => endpoint.closeMailbox()],
    [{ ok: { messages: [{ state: 'acknowledged', sinceMs: -1 }] } }, () => endpoint.status(from, [message.id])],
  ];
  // What is no answer at all ends the stream; the next question opens another.
  const ends = [];
  for (const [lie, ask] of lies) ends.push(await asked(lie, ask));
  expect(ends).toEqual(lies.map(([lie]) => (Array.isArray((lie as Fields)['ok']) ? 'NO_ENDPOINT' : 'BAD_ANSWER')));
  expect(await asked(undefined, take)).toBe('NO_ENDPOINT');
  expect(await asked({ error: { code: 'MAILBOX_UNKNOWN\u001b[2J', message: '\u001b]0;', fault: 'x' } }, take)).toBe(
    'MAILBOX_UNKNOWN?[2J',
  );
  expect(client.node.scoreLedger.getAccount(endpoint.provider).workRecv).toBe(0);
  expect(await asked(page(message), take)).toBe('believed');
});

it('a recipient that goes in the middle, or cannot keep a message, leaves it where it is', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const ada = await sender(host);
  for (let i = 0; i < 5; i++) await ada.client.send(bob.peer, Buffer.from(`${i}`));
  const waiting = () => host.mailboxes.waiting(bob.peer.toString()).messages;
  const kept: string[] = [];
  let room = 2;
  const receive = async ({ body: text }: { body: Uint8Array }): Promise<void> => {
    if (room-- === 0) throw new Error('the disk is full');
    kept.push(Buffer.from(text).toString());
  };
  const inbox = new Inbox({ client: bob.client, endpoints: [endpointOf(host)], receive });
  expect(await inbox.takeAll()).toMatchObject([{ error: { message: 'the disk is full' } }]);
  expect(waiting()).toBe(5);
  // Another device, as the same peer: what the first has taken comes when that one is gone.
  const { privateKey } = bob.node;
  await bob.node.stop();
  const again = mailboxClient(await consumer({ privateKey }));
  room = Infinity;
  const second = new Inbox({ client: again, endpoints: [endpointOf(host)], receive });
  await expect.poll(async () => [await second.takeAll(), waiting()], { timeout: 60_000 }).toEqual([[], 0]);
  expect(kept).toEqual(['0', '1', '0', '1', '2', '3', '4']);
});
