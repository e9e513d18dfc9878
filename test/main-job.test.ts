import { getEventListeners } from 'node:events';
import { encode } from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import type { CID } from 'multiformats/cid';
import { JobError } from '../sdk/client/index.ts';
import type { Client } from '../sdk/client/index.ts';
import { WORKSWAP_PROTOCOL, rawCid } from '../sdk/protocol/index.ts';
import type { TaskLimits } from '../sdk/protocol/index.ts';
import type { Provider } from '../provider/provider.ts';
import type { Consumer } from '../provider/consumer.ts';
import { LISTEN, consumer, directory, handler, hostile, offer, provider } from './fixtures.ts';

const MIB = 1024 * 1024;

async function pair(
  config: NonNullable<Parameters<typeof provider>[0]>['config'] = {},
): Promise<{ host: Provider; caller: Consumer; client: Client }> {
  const host = await provider({ config });
  const caller = await consumer();
  return { host, caller, client: await caller.connect(host.addrs) };
}

/** What both ends hold of each other, as the other would say it. */
function mirrored(host: Provider, caller: Consumer): [unknown, unknown] {
  const theirs = host.scoreLedger.getAccount(caller.libp2p.peerId);
  const ours = caller.scoreLedger.getAccount(host.peerId);
  return [
    { work: theirs.workSent, blocks: theirs.blocksSent, workBack: theirs.workRecv, blocksBack: theirs.blocksRecv },
    { work: ours.workRecv, blocks: ours.blocksRecv, workBack: ours.workSent, blocksBack: ours.blocksSent },
  ];
}

async function failure(promise: Promise<unknown>): Promise<JobError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof JobError)) throw new Error(`Expected a JobError, got ${String(error)}`, { cause: error });
  return error;
}

describe('a job', () => {
  it('comes back with its answer and a receipt, and both ledgers agree to the byte', async () => {
    const { host, caller, client } = await pair({ credit: { refreshBytesPerSecond: 0 } });
    const hello = await offer(caller, await handler('hello'));
    const response = await client.call(hello, { path: '/?name=Ada' });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('Ada');
    const { receipt } = await response.receipt;
    expect(receipt.handler.equals(hello)).toBe(true);
    expect(receipt.usage.fuel).toBeGreaterThan(0);
    expect(receipt.usage.compiledBytes).toBe((await handler('hello')).length);
    const [theirs, ours] = mirrored(host, caller);
    expect(theirs).toEqual(ours);
    expect(theirs).toEqual({
      work: receipt.priceBytes,
      blocks: 0,
      workBack: 0,
      blocksBack: (await handler('hello')).length,
    });
    expect(response.credit?.balance).toBe(receipt.priceBytes - (await handler('hello')).length);
  });

  it('of two callers gets each its own answer', async () => {
    const host = await provider();
    const bytes = await handler('hello');
    const answers = await Promise.all(
      [1, 2].map(async () => {
        const caller = await consumer();
        const client = await caller.connect(host.addrs);
        const response = await client.call(await offer(caller, bytes), {}, {});
        return response.text();
      }),
    );
    expect(answers[0]).not.toBe(answers[1]);
  });

  it('is compiled once, however many ask at the same time, and only one of them pays for it', async () => {
    const { host, caller, client } = await pair();
    const hello = await offer(caller, await handler('hello'));
    const limits = { priceMaxBytes: MIB };
    const receipts = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const response = await client.call(hello, { path: `/?name=${i}` }, limits);
        expect(await response.text()).toContain(String(i));
        return (await response.receipt).receipt;
      }),
    );
    expect(receipts.filter(({ usage }) => usage.compiledBytes > 0)).toHaveLength(1);
    expect(new Set(receipts.map(({ task }) => task.toString())).size).toBe(50);
    const [theirs, ours] = mirrored(host, caller);
    expect(theirs).toEqual(ours);
    expect(theirs).toMatchObject({ work: receipts.reduce((sum, { priceBytes }) => sum + priceBytes, 0) });
  });

  it('asked for twice, word for word, is done and charged twice', async () => {
    const { host, caller, client } = await pair();
    const hello = await offer(caller, await handler('hello'));
    const request = { timeMs: 1, seed: new Uint8Array(32) };
    const first = await (await client.call(hello, request)).receipt;
    const second = await (await client.call(hello, request)).receipt;
    expect(second.receipt.task.equals(first.receipt.task)).toBe(true);
    const [theirs, ours] = mirrored(host, caller);
    expect(theirs).toEqual(ours);
    expect(theirs).toMatchObject({ work: first.receipt.priceBytes + second.receipt.priceBytes });
  });

  it('reads a file that only the caller has, and its blocks earn the caller credit', async () => {
    const { host, caller, client } = await pair();
    const wordcount = await offer(caller, await handler('wordcount'));
    const text = 'the quick brown fox jumps over the lazy dog\n'.repeat(1000);
    const file = await offer(caller, new TextEncoder().encode(text));
    const response = await client.call(wordcount, { path: `/?cid=${file.toString()}` });
    const body = await response.text();
    expect(body).toContain('9000');
    const { receipt } = await response.receipt;
    expect(receipt.usage.readBytes).toBeGreaterThanOrEqual(text.length);
    const [theirs, ours] = mirrored(host, caller);
    expect(theirs).toEqual(ours);
    expect(theirs).toMatchObject({ blocksBack: text.length + (await handler('wordcount')).length });
  });

  it('is quoted before it runs, and costs no more than that', async () => {
    const { caller, client } = await pair();
    const hello = await offer(caller, await handler('hello'));
    const request = { path: '/?name=quote', timeMs: 1, seed: new Uint8Array(32) };
    const limits = { fuelMax: 1_000_000, outputBytesMax: 4096 };
    const quote = await client.quote(hello, request, limits);
    expect(quote.compileBytes).toBeGreaterThan(0);
    const response = await client.call(hello, request, limits);
    const { receipt } = await response.receipt;
    expect(receipt.task.equals(quote.task)).toBe(true);
    expect(receipt.priceBytes).toBeLessThanOrEqual(quote.priceMaxBytes);
    expect((await client.quote(hello, request, limits)).compileBytes).toBe(0);
  });

  it('lets go of the signal when it has ended: one signal serves a thousand calls', async () => {
    const { caller, client } = await pair();
    const cid = await offer(caller, await hostile());
    const { signal } = new AbortController();
    for (const path of ['/', '/trap']) {
      const response = await client.call(cid, { path }, {}, { signal }).catch(() => undefined);
      await response?.receipt;
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('streams a body of many chunks', async () => {
    const { caller, client } = await pair();
    const cid = await offer(caller, await hostile());
    const response = await client.call(cid, { path: '/big' }, { outputBytesMax: 9 * MIB, fuelMax: 1e10 });
    let chunks = 0;
    let bytes = 0;
    for await (const chunk of response) {
      chunks++;
      bytes += chunk.length;
    }
    expect(bytes).toBe(8 * MIB);
    expect(chunks).toBeGreaterThan(8);
    await response.receipt;
  });
});

describe('credit', () => {
  it('ends with a refusal that says how much, how long and what would pay; serving that restores it', async () => {
    const { host, caller, client } = await pair({ credit: { newcomerLineBytes: 3 * MIB, refreshBytesPerSecond: 0 } });
    const hello = await offer(caller, await handler('hello'));
    await (
      await client.call(hello, {}, { priceMaxBytes: 2 * MIB })
    ).receipt;
    const spin = await offer(caller, await hostile());
    // Two million iterations a job: the debt grows until the next reservation does not fit.
    const film = new Uint8Array(2 * MIB).map((_, i) => i * 7);
    const wanted = host.fetch(rawCid(film));
    wanted.catch(() => {});
    const refused = await failure(
      (async () => {
        for (let i = 0; i < 1000; i++)
          await (
            await client.call(spin, { path: '/spin' }, { priceMaxBytes: 2.5 * MIB, fuelMax: 1e7 })
          ).receipt;
      })().catch((error: unknown) => {
        if (error instanceof JobError && error.code !== 'OVER_CREDIT') return exhaust(client, spin);
        throw error;
      }),
    );
    expect(refused.code).toBe('OVER_CREDIT');
    expect(refused.overCredit!.requestedBytes).toBe(2.5 * MIB);
    expect(refused.overCredit!.limit).toBeGreaterThanOrEqual(3 * MIB);
    expect(refused.overCredit!.balance + 2.5 * MIB).toBeGreaterThan(3 * MIB);
    expect(refused.overCredit!.wants.map(String)).toContain(rawCid(film).toString());
    await offer(caller, film);
    await wanted;
    const response = await client.call(hello, {}, { priceMaxBytes: 2 * MIB });
    expect(response.status).toBe(200);
    await response.receipt;
    const [theirs, ours] = mirrored(host, caller);
    expect(theirs).toEqual(ours);
  });
});

/** Burns until the provider refuses. */
async function exhaust(client: Client, spin: Awaited<ReturnType<typeof offer>>): Promise<never> {
  for (;;) {
    await client.call(spin, { path: '/spin' }, { priceMaxBytes: 2.5 * MIB, fuelMax: 1e7 }).catch((error: unknown) => {
      if (error instanceof JobError && error.code === 'OVER_CREDIT') throw error;
    });
  }
}

describe('bad input gets a typed error, and the provider goes on', () => {
  const cases: [name: string, path: string, limits: Partial<TaskLimits>, code: RegExp][] = [
    ['an endless loop', '/loop', { fuelMax: 50_000_000 }, /OUT_OF_FUEL/],
    ['an endless loop within its price', '/loop', { fuelMax: 1e15, priceMaxBytes: 2 * MIB }, /PRICE_EXCEEDED/],
    ['a memory bomb', '/memory', { memoryPagesMax: 64 }, /TRAP|HANDLER_FAILED/],
    ['a trap', '/trap', {}, /TRAP/],
    ['an exception of the handler', '/throw', {}, /HANDLER_FAILED/],
    ['endless recursion', '/deep', { fuelMax: 1e10, priceMaxBytes: 64 * MIB }, /STACK_OVERFLOW/],
    ['a body over the limit', '/big', { outputBytesMax: 1000 }, /OUTPUT_LIMIT/],
  ];

  it('for everything a handler can do wrong, with a receipt for what it burnt', async () => {
    const { host, caller, client } = await pair({ credit: { newcomerLineBytes: 1024 * MIB } });
    const cid = await offer(caller, await hostile());
    for (const [name, path, limits, code] of cases) {
      const error = await failure(client.call(cid, { path }, limits));
      expect(error.code, name).toMatch(code);
      expect(error.receipt?.receipt.error, name).toBe(error.code);
      expect(error.receipt!.receipt.priceBytes, name).toBeLessThanOrEqual(limits.priceMaxBytes ?? 32 * MIB);
      const response = await client.call(cid, { path: '/' });
      expect(await response.text(), name).toBe('fine');
      await response.receipt;
    }
    const [theirs, ours] = mirrored(host, caller);
    expect(theirs).toEqual(ours);
  });

  it('for modules that are none, lie about their CID, or ask for forbidden doors', async () => {
    const { caller, client } = await pair({ modules: { fetchTimeoutMs: 300 } });
    const wasm = (...sections: number[]): Uint8Array => new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]);
    const forbidden = wasm(1, 4, 1, 0x60, 0, 0, 2, 11, 1, 3, 0x65, 0x6e, 0x76, 3, 0x66, 0x6f, 0x6f, 0, 0);
    expect(await failure(client.call(await offer(caller, new TextEncoder().encode('<html>')), {}))).toMatchObject({
      code: 'NOT_WASM',
      fault: 'handler',
    });
    expect(await failure(client.call(await offer(caller, wasm(1, 99)), {}))).toMatchObject({ fault: 'handler' });
    const error = await failure(client.call(await offer(caller, forbidden), {}));
    expect(error).toMatchObject({ code: 'FORBIDDEN_IMPORT', fault: 'handler' });
    expect(error.message).toContain('env');
    expect(await failure(client.call(await offer(caller, wasm()), {}))).toMatchObject({ code: 'MISSING_EXPORT' });
    const lie = rawCid(new TextEncoder().encode('something else'));
    await caller.blockstore.put(lie, new TextEncoder().encode('not that'));
    expect(await failure(client.call(lie))).toMatchObject({
      code: expect.stringMatching(/NOT_FOUND|UNAVAILABLE/) as string,
    });
    const hello = await client.call(await offer(caller, await handler('hello')));
    expect(hello.status).toBe(200);
    await hello.receipt;
  });

  it('for limits over what the provider allows and a price that buys nothing', async () => {
    const { caller, client } = await pair();
    const hello = await offer(caller, await handler('hello'));
    expect(await failure(client.call(hello, {}, { memoryPagesMax: 60_000 }))).toMatchObject({
      code: 'LIMIT_TOO_HIGH',
      fault: 'consumer',
    });
    expect(await failure(client.call(hello, {}, { priceMaxBytes: 10 }))).toMatchObject({
      code: 'PRICE_EXCEEDED',
      fault: 'consumer',
    });
    await expect(client.call(hello, { body: new Uint8Array(MIB + 1) })).rejects.toMatchObject({
      code: 'BODY_TOO_LARGE',
    });
  });

  it('for frames that are garbage, oversized or cut off, on one stream of many', async () => {
    const { host, caller, client } = await pair();
    const hello = await offer(caller, await handler('hello'));
    const attacks = [
      new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff]),
      new Uint8Array([0xff, 0xff, 0xff, 0x7f]),
      new Uint8Array([5, 1, 2, 3, 4, 5]),
      new Uint8Array([3, 0x08, 0x00, 0x20]),
      encode({ a: 'map' }),
    ];
    for (const bytes of attacks) {
      const attacker = await consumer();
      const stream = await attacker.libp2p.dialProtocol(
        await attacker.libp2p.dial(host.libp2p.getMultiaddrs()).then(({ remotePeer }) => remotePeer),
        WORKSWAP_PROTOCOL,
      );
      const ended = new Promise<void>((resolve) => {
        stream.addEventListener('remoteCloseWrite', () => resolve());
        stream.addEventListener('close', () => resolve());
      });
      stream.send(bytes);
      if (bytes.length > 6) await stream.close();
      await ended;
    }
    const response = await client.call(hello);
    expect(response.status).toBe(200);
    await response.receipt;
  });
});

describe('a job that ends without a result', () => {
  it('is stopped when the caller cancels, and what it burnt is ghost debt', async () => {
    const { host, caller, client } = await pair();
    const cid = await offer(caller, await hostile());
    await (
      await client.call(cid)
    ).receipt;
    const controller = new AbortController();
    const limits = { fuelMax: 1e15, priceMaxBytes: 60 * MIB };
    // The job is under way for certain once it has read a block that only the caller has.
    const block = await offer(caller, new TextEncoder().encode('the job has begun'));
    const call = client.call(cid, { path: `/loop?reads=${block.toString()}` }, limits, { signal: controller.signal });
    await holds(host, block);
    controller.abort(new Error('changed my mind'));
    await expect(call).rejects.toThrow('changed my mind');
    await idle(host);
    const account = host.scoreLedger.getAccount(caller.libp2p.peerId);
    expect(account.reserved).toBe(0);
    expect(account.ghost).toBeGreaterThan(0);
    expect(account.ghost).toBeLessThanOrEqual(60 * MIB);
  });

  it('is stopped when the caller disconnects', async () => {
    const { host, caller, client } = await pair();
    const cid = await offer(caller, await hostile());
    await (
      await client.call(cid)
    ).receipt;
    const call = client.call(cid, { path: '/loop' }, { fuelMax: 1e15, priceMaxBytes: 60 * MIB });
    call.catch(() => {});
    await running(host);
    await caller.libp2p.hangUp(host.peerId);
    await idle(host);
    expect(host.scoreLedger.getAccount(caller.libp2p.peerId).reserved).toBe(0);
    await expect(call).rejects.toMatchObject({ code: 'PROVIDER_UNREACHABLE' });
  });

  it('past its deadline is stopped, and others are not disturbed', async () => {
    const { host, caller, client } = await pair({
      credit: { newcomerLineBytes: 2e12, strangerPoolBytes: 2e12, limitBytesMax: 4e12 },
    });
    const cid = await offer(caller, await hostile());
    const slow = failure(client.call(cid, { path: '/loop' }, { fuelMax: 1e15, priceMaxBytes: 1e12, timeoutMs: 300 }));
    const others = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const response = await client.call(cid, {}, { priceMaxBytes: MIB });
        await response.receipt;
        return response.text();
      }),
    );
    expect(others).toEqual(Array.from({ length: 20 }, () => 'fine'));
    expect(await slow).toMatchObject({ code: 'JOB_TIMEOUT' });
    expect(host.scoreLedger.getAccount(caller.libp2p.peerId).ghost).toBeGreaterThan(0);
  });

  it('because the provider stops is refunded', async () => {
    const host = await provider({ dataDir: await directory() });
    const caller = await consumer({ dataDir: await directory() });
    const client = await caller.connect(host.addrs);
    const cid = await offer(caller, await hostile());
    await (
      await client.call(cid)
    ).receipt;
    const before = host.scoreLedger.getAccount(caller.libp2p.peerId);
    const call = failure(
      client.call(cid, { path: '/loop' }, { fuelMax: 1e15, priceMaxBytes: 60 * MIB, timeoutMs: 60_000 }),
    );
    await running(host);
    await host.stop({ graceMs: 0 });
    expect(await call).toMatchObject({ code: 'SHUTTING_DOWN', retryable: true });
    expect(host.scoreLedger.getAccount(caller.libp2p.peerId)).toMatchObject({
      ghost: 0,
      reserved: 0,
      workSent: before.workSent,
    });
  });
});

/** Waits on the provider's own figures; they change with the jobs, not with a clock. */
async function running(host: Provider): Promise<void> {
  while (host.stats().sandbox.running === 0) await new Promise((resolve) => setImmediate(resolve));
}

async function holds(host: Provider, cid: CID): Promise<void> {
  while (!(await host.blocks.has(cid))) await new Promise((resolve) => setImmediate(resolve));
}

async function idle(host: Provider): Promise<void> {
  while (host.stats().jobs.running > 0) await new Promise((resolve) => setImmediate(resolve));
}

it('listens where it is told', async () => {
  const host = await provider();
  expect(host.addrs[0]).toMatch(new RegExp(`^${LISTEN.replace('/tcp/0', '/tcp/\\d+')}/p2p/${host.peerId.toString()}$`));
});
