import { generateKeyPair } from '@libp2p/crypto/keys';
import { encode } from '@ipld/dag-cbor';
import type { Libp2p, PrivateKey, Stream } from '@libp2p/interface';
import { encode as encodeVarint } from 'uint8-varint';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Consumer } from '../provider/consumer.ts';
import {
  LEDGER_PROTOCOL,
  Reconciler,
  sealStatement,
  stateAccount,
  type AccountStatement,
} from '../provider/ledger/index.ts';
import { RATES } from '../provider/ledger/exchange/index.ts';
import { memoryLedger } from '../provider/ledger/testing.ts';
import { createNode } from '../provider/node/index.ts';
import { cidText, dagCborCid, rawCid, sealDocument } from '../sdk/protocol/index.ts';
import { connect, until } from './bitswap-host.ts';
import { consumer, handler, hostile, LISTEN, offer, provider } from './fixtures.ts';

/**
 * Goal: two peers can compare their books over the network, and a peer that cheats learns nothing, proves nothing and
 * holds nobody up. Method: real nodes on loopback; the cheats speak the protocol by hand.
 */

const listening = (): Promise<Consumer> => consumer({ listen: [LISTEN] });

async function pair(): Promise<[Consumer, Consumer]> {
  const [alice, bob] = await Promise.all([listening(), listening()]);
  await connect(bob.libp2p, alice.libp2p);
  return [alice, bob];
}

function receipt(name: string): { cid: string; bytes: Uint8Array } {
  const bytes = new TextEncoder().encode(`receipt ${name}`);
  return { cid: cidText(rawCid(bytes)), bytes };
}

describe('two peers', () => {
  test('that traded blocks and work agree to the byte, whoever asks', async () => {
    const host = await provider({ config: { credit: { refreshBytesPerSecond: 0 } } });
    const caller = await consumer();
    const client = await caller.connect(host.addrs);
    const hello = await offer(caller, await handler('hello'));
    for (let i = 0; i < 3; i++) await (await client.call(hello)).receipt;
    const found = await caller.reconciler.reconcile(host.peerId);
    expect(found).toMatchObject({ agrees: true, differences: [], ghost: { ours: 0, theirs: 0 } });
    expect(found.ours.receipts).toHaveLength(3);
    expect(found.ours.workRecv).toBeGreaterThan(0);
    expect([found.ours.workRecv, found.ours.blocksSent]).toEqual([found.theirs.workSent, found.theirs.blocksRecv]);
    expect(await host.reconcile(caller.libp2p.peerId)).toMatchObject({ agrees: true });
  });

  test('are shown the receipts that one of them never received, from either side', async () => {
    const [alice, bob] = await pair();
    const lost = receipt('lost');
    await alice.scoreLedger.settle(alice.scoreLedger.reserve(bob.libp2p.peerId, 500, 'work'), 300, lost);
    expect(await bob.reconciler.reconcile(alice.libp2p.peerId)).toMatchObject({
      agrees: false,
      differences: [{ total: 'work done for us', cause: 'RECEIPT_NOT_RECEIVED', bytes: 300 }],
    });
    const { differences } = await alice.reconciler.reconcile(bob.libp2p.peerId);
    expect(differences).toMatchObject([{ total: 'work we did', cause: 'RECEIPT_NOT_RECEIVED', bytes: 300 }]);
    expect(differences[0]!.receipts.map(String)).toEqual([lost.cid]);
    await bob.scoreLedger.receiveWork(alice.libp2p.peerId, 300, lost);
    expect(await bob.reconciler.reconcile(alice.libp2p.peerId)).toMatchObject({ agrees: true });
  });

  test('are shown blocks that were sent and not counted, and blocks that were counted and not sent', async () => {
    const [alice, bob] = await pair();
    alice.scoreLedger.addToSentBytes(bob.libp2p.peerId, 100);
    bob.scoreLedger.addToReceivedBytes(alice.libp2p.peerId, 60);
    alice.scoreLedger.addToReceivedBytes(bob.libp2p.peerId, 5);
    expect(await bob.reconciler.reconcile(alice.libp2p.peerId)).toMatchObject({
      agrees: false,
      differences: [
        { total: 'blocks we sent', cause: 'BLOCKS_NOT_BOOKED', bytes: -5 },
        { total: 'blocks we received', cause: 'BLOCKS_NOT_COUNTED', bytes: 40 },
      ],
    });
  });

  test('are shown the ghost debt of a job that was cancelled, which is no difference in what was exchanged', async () => {
    const host = await provider({ config: { credit: { refreshBytesPerSecond: 0 } } });
    const caller = await consumer();
    const client = await caller.connect(host.addrs);
    const loops = await offer(caller, await hostile());
    // A job that is taken back before its worker began has burnt nothing: as many as it takes until one has.
    while (host.scoreLedger.getAccount(caller.libp2p.peerId).ghost === 0) {
      const stop = new AbortController();
      const call = client.call(loops, { path: '/loop' }, {}, { signal: stop.signal });
      await until(() => host.stats().sandbox.running > 0);
      stop.abort();
      await expect(call).rejects.toThrow();
      await until(() => host.stats().jobs.running === 0);
    }
    const { agrees, ghost } = await caller.reconciler.reconcile(host.peerId);
    expect([agrees, ghost.ours]).toEqual([true, 0]);
    expect(ghost.theirs).toBe(host.scoreLedger.getAccount(caller.libp2p.peerId).ghost);
  });

  test('that never met agree on nothing at all', async () => {
    const [alice, bob] = await pair();
    expect(await bob.reconciler.reconcile(alice.libp2p.peerId)).toMatchObject({ agrees: true, differences: [] });
  });
});

interface Raw {
  libp2p: Libp2p;
  key: PrivateKey;
  /** Says `bytes` to whoever asks; undefined: nothing. */
  answer(how: (question: Uint8Array, stream: Stream) => unknown): Promise<void>;
}

async function raw(): Promise<Raw> {
  const key = await generateKeyPair('Ed25519');
  const limits = { connectionsMax: 100, connectionRatePerHostMax: 100, streamsPerConnectionMax: 100 };
  const libp2p = await createNode({ privateKey: key, listen: [LISTEN], ...limits });
  await libp2p.start();
  onTestFinished(() => libp2p.stop());
  return {
    libp2p,
    key,
    answer: (how) =>
      libp2p.handle(LEDGER_PROTOCOL, (stream) => {
        stream.addEventListener('message', ({ data }) => void how(data.subarray(), stream), { once: true });
      }),
  };
}

function frame(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([encodeVarint(bytes.length), bytes]);
}

/** The question without its length. */
function unframed(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(bytes[0]! < 0x80 ? 1 : bytes[1]! < 0x80 ? 2 : 3);
}

describe('a peer that answers', () => {
  let us: Consumer;
  let liar: Raw;
  let truth: AccountStatement;

  beforeEach(async () => {
    us = await consumer();
    liar = await raw();
    await us.libp2p.dial(liar.libp2p.getMultiaddrs());
    truth = stateAccount(memoryLedger().ledger, liar.libp2p.peerId, us.libp2p.peerId, Date.now());
  });

  const ask = (reconciler = us.reconciler) => reconciler.reconcile(liar.libp2p.peerId);

  async function says(statement: Record<string, unknown>, question: Uint8Array, key = liar.key): Promise<Uint8Array> {
    const answers = dagCborCid(unframed(question));
    return frame(encode({ statement: await sealStatement({ ...truth, answers, ...statement }, key) }));
  }

  test('by hand and honestly is believed, so the tests below fail for their own reason', async () => {
    await liar.answer(async (question, stream) => stream.send(await says({}, question)));
    expect(await ask()).toMatchObject({ agrees: true });
  });

  test('with figures of its own gets them compared, and changes nothing in our books', async () => {
    us.scoreLedger.addToReceivedBytes(liar.libp2p.peerId, 10);
    await liar.answer(async (question, stream) => stream.send(await says({ blocksSent: 2 ** 51 }, question)));
    const before = us.scoreLedger.getAccount(liar.libp2p.peerId);
    expect(await ask()).toMatchObject({
      agrees: false,
      differences: [{ total: 'blocks we received', cause: 'BLOCKS_NOT_COUNTED', bytes: 2 ** 51 - 10 }],
    });
    expect(us.scoreLedger.getAccount(liar.libp2p.peerId)).toEqual(before);
  });

  test('with its answer of another time is not believed', async () => {
    let recorded: Uint8Array | undefined;
    await liar.answer(async (question, stream) => stream.send((recorded ??= await says({}, question))));
    expect(await ask()).toMatchObject({ agrees: true });
    us.scoreLedger.addToReceivedBytes(liar.libp2p.peerId, 1);
    await expect(ask()).rejects.toMatchObject({
      code: 'RECONCILE_INVALID',
      message: expect.stringContaining('another question') as string,
    });
  });

  const invalid: [string, (question: Uint8Array) => Promise<Uint8Array> | Uint8Array][] = [
    ['with random bytes', () => frame(crypto.getRandomValues(new Uint8Array(1_000)))],
    ['with nothing in its answer', () => frame(encode({}))],
    ['with our own statement', (question) => frame(encode({ statement: unframed(question) }))],
    ['with a frame that is too long', () => encodeVarint(70_000)],
    ['with a length that never ends', () => new Uint8Array(20).fill(0xff)],
    ['with lists in lists in lists', () => frame(new Uint8Array(60_000).fill(0x81))],
    ['in the name of another', async (question) => says({}, question, await generateKeyPair('Ed25519'))],
    ['about another', (question) => says({ subject: liar.libp2p.peerId.toString() }, question)],
    ['with an amount that is none', (question) => says({ workSent: 2 ** 60 }, question)],
    [
      'with another kind of document',
      async () => frame(encode({ statement: await sealDocument('tariff', { version: 1 }, liar.key) })),
    ],
  ];
  test.each(invalid)('%s is not believed', async (_, bytes) => {
    await liar.answer(async (question, stream) => stream.send(await bytes(question)));
    await expect(ask()).rejects.toMatchObject({ code: 'RECONCILE_INVALID', fault: 'provider' });
  });

  const silent: [string, (stream: Stream) => unknown][] = [
    ['with nothing', () => undefined],
    ['with half an answer', (stream) => stream.send(new Uint8Array([100, 1, 2]))],
    ['by closing', (stream) => stream.close()],
    ['by resetting', (stream) => stream.abort(new Error('no'))],
    [
      'byte by byte, for ever',
      (stream) => {
        stream.send(encodeVarint(60_000));
        const drip = setInterval(() => stream.status === 'open' && stream.send(new Uint8Array(1)), 5);
        onTestFinished(() => clearInterval(drip));
      },
    ],
  ];
  test.each(silent)('%s is given up', async (_, how) => {
    await liar.answer((_question, stream) => how(stream));
    const impatient = new Reconciler(us, { timeoutMs: 300 });
    await expect(ask(impatient)).rejects.toMatchObject({ code: 'RECONCILE_UNANSWERED', retryable: true });
    await until(() => liar.libp2p.getConnections().every(({ streams }) => !streams.some(isOurs)));
  });

  test('with a refusal is quoted, without what it would do to a terminal', async () => {
    const error = { code: 'NO', message: '\u001b[2J\u0000gone\u202e', retryMs: 5 };
    await liar.answer((_, stream) => stream.send(frame(encode({ error }))));
    await expect(ask()).rejects.toMatchObject({
      code: 'RECONCILE_REFUSED',
      reason: 'NO',
      retryMs: 5,
      message: expect.stringContaining('NO: ?[2J?gone?. Ask again in 5 ms') as string,
    });
  });

  test('nothing because it does not know the protocol is named as such', async () => {
    await expect(ask()).rejects.toMatchObject({ code: 'RECONCILE_UNANSWERED' });
  });

  test('can be given up by the caller', async () => {
    await liar.answer(() => undefined);
    const stop = new AbortController();
    const asked = us.reconciler.reconcile(liar.libp2p.peerId, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });
});

function isOurs({ protocol }: { protocol: string }): boolean {
  return protocol === LEDGER_PROTOCOL;
}

describe('a peer that asks', () => {
  let us: Consumer;
  let asker: Raw;

  beforeEach(async () => {
    us = await listening();
    asker = await raw();
    await asker.libp2p.dial(us.libp2p.getMultiaddrs());
  });

  /** What we answer to these bytes; undefined when we close without a word. */
  async function ask(bytes: Uint8Array, from: Libp2p = asker.libp2p): Promise<Buffer | undefined> {
    const stream = await from.dialProtocol(us.libp2p.peerId, LEDGER_PROTOCOL);
    const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
    stream.addEventListener('message', ({ data }) => resolve(Buffer.from(data.subarray())), { once: true });
    stream.addEventListener('close', () => resolve(undefined));
    stream.send(bytes);
    return promise.finally(() => stream.abort(new Error('done')));
  }

  async function statement(changes: Partial<AccountStatement> = {}, from = asker): Promise<Uint8Array> {
    const stated = stateAccount(memoryLedger().ledger, from.libp2p.peerId, us.libp2p.peerId, 1);
    return frame(await sealStatement({ ...stated, ...changes }, from.key));
  }

  test('in the name of another, or about another account, learns nothing', async () => {
    const other = await raw();
    us.scoreLedger.addToSentBytes(other.libp2p.peerId, 123_456_789);
    const lies = [
      await statement({}, other),
      await statement({ issuer: other.libp2p.peerId.toString() }),
      await statement({ subject: other.libp2p.peerId.toString() }),
      frame(crypto.getRandomValues(new Uint8Array(500))),
      frame(new Uint8Array(60_000).fill(0x81)),
    ];
    for (const lie of lies) {
      const answer = await ask(lie);
      expect(answer?.toString('latin1')).toContain('BAD_STATEMENT');
    }
    const own = await ask(await statement());
    expect(own?.toString('latin1')).toContain('blocksSent');
    expect(own?.includes(encode(123_456_789))).toBe(false);
  });

  test('with what is no frame is cut off, and the next one is served', async () => {
    expect(await ask(new Uint8Array(20).fill(0xff))).toBeUndefined();
    expect(await ask(encodeVarint(100_000))).toBeUndefined();
    expect((await ask(await statement()))?.toString('latin1')).toContain('signature');
  });

  test('too often is told when to come back, and so are all strangers together', async () => {
    const frozen = await raw();
    let nowMs = 0;
    const reconciler = new Reconciler(
      { libp2p: frozen.libp2p, privateKey: frozen.key, scoreLedger: us.scoreLedger },
      { nowMs: () => nowMs },
    );
    await reconciler.start();
    const served = async (of: Consumer): Promise<string> => {
      try {
        await of.reconciler.reconcile(frozen.libp2p.peerId);
        return 'served';
      } catch (error) {
        expect(error).toMatchObject({ code: 'RECONCILE_REFUSED', reason: 'TOO_OFTEN', retryable: true });
        return String((error as { retryMs: number }).retryMs);
      }
    };
    const greedy = await listening();
    await connect(greedy.libp2p, frozen.libp2p);
    const answers: string[] = [];
    for (let i = 0; i < RATES.peer.burst + 2; i++) answers.push(await served(greedy));
    expect(answers.filter((answer) => answer === 'served')).toHaveLength(RATES.peer.burst);
    expect(answers.at(-1)).toBe('1000');
    nowMs += 1_000;
    expect([await served(greedy), await served(greedy)]).toEqual(['served', '1000']);

    // Many strangers: none of them asked before, and there is an end to it all the same.
    let inAll = 0;
    for (let i = 0; i < RATES.strangers.burst; i++) {
      const stranger = await consumer();
      await connect(stranger.libp2p, frozen.libp2p);
      if ((await served(stranger)) === 'served') inAll += 1;
    }
    expect(inAll).toBeLessThan(RATES.strangers.burst);
    // Whom we have an account with does not wait behind them.
    const known = await consumer();
    us.scoreLedger.addToReceivedBytes(known.libp2p.peerId, 1);
    await connect(known.libp2p, frozen.libp2p);
    expect(await served(known)).toBe('served');
  });
});
