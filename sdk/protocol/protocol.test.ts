import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { decode, encode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { identity } from 'multiformats/hashes/identity';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BadRequestError,
  cidText,
  FRAME_BYTES_MAX,
  FrameReader,
  FrameWriter,
  HEADERS_MAX,
  REQUEST_BODY_BYTES_MAX,
  decodeRequest,
  decodeTask,
  encodeInput,
  encodeTask,
  encodeTaskRequest,
  fuelAffordable,
  DocumentError,
  ReceiptOpener,
  openQuote,
  openReceipt,
  openTariff,
  price,
  rawCid,
  sealQuote,
  sealReceipts,
  sealTariff,
} from './index.ts';
import type { Receipt, SealedReceipt, TariffRates, TaskLimits } from './index.ts';
import { climb, merkleTree, leafHash } from './merkle.ts';
import { Request } from './pb/workswap.js';

const key = await generateKeyPair('Ed25519');
const provider = peerIdFromPrivateKey(key).toString();
const cid = rawCid(new Uint8Array([1, 2, 3]));
const limits: TaskLimits = {
  fuelMax: 1e9,
  memoryPagesMax: 16,
  outputBytesMax: 1024,
  timeoutMs: 1000,
  priceMaxBytes: 1e6,
};
const request = { method: 'GET', path: '/', query: 'a=b', headers: {}, timeMs: 5, seed: new Uint8Array(32) };

const rate = fc.integer({ min: 0, max: 10 ** 9 });
const ratesArbitrary: fc.Arbitrary<TariffRates> = fc.record({
  job: rate,
  compile: rate,
  input: rate,
  output: rate,
  read: rate,
  write: rate,
  fuel: rate,
  memory: rate,
});
const size = fc.integer({ min: 0, max: 2 ** 26 });
const usageArbitrary = fc.record({
  compiledBytes: size,
  inputBytes: size,
  outputBytes: size,
  readBytes: size,
  writtenBytes: size,
  memoryPagesPeak: fc.integer({ min: 0, max: 65536 }),
});

describe('prices', () => {
  it('the fuel that a price limit buys never costs more than the limit, and one unit more would', () => {
    fc.assert(
      fc.property(ratesArbitrary, usageArbitrary, fc.integer({ min: 0, max: 2 ** 50 }), (rates, usage, priceMax) => {
        const fuel = fuelAffordable(rates, priceMax, usage);
        if (fuel < 0) {
          expect(price(rates, { ...usage, fuel: 0 })).toBeGreaterThan(priceMax);
          return;
        }
        expect(price(rates, { ...usage, fuel })).toBeLessThanOrEqual(priceMax);
        if (fuel < Number.MAX_SAFE_INTEGER)
          expect(price(rates, { ...usage, fuel: fuel + 1 })).toBeGreaterThan(priceMax);
      }),
    );
  });

  it('what fuel costs is rounded up exactly, also where numbers stop being exact', () => {
    const near = fc.integer({ min: 2 ** 53 - 2 ** 21, max: 2 ** 53 + 2 ** 21 });
    const perGiga = fc.integer({ min: 1, max: 2 ** 22 });
    const fuels = fc.oneof(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), fc.constant(undefined));
    fc.assert(
      fc.property(perGiga, fc.integer({ min: 0, max: 1024 }), near, fuels, (rate, pages, product, any) => {
        const rates = { job: 0, compile: 0, input: 0, output: 0, read: 0, write: 0, fuel: rate, memory: rate };
        const fuel = any ?? Math.floor(product / (rate * (pages + 1)));
        const exact = (BigInt(fuel) * BigInt(rate) * BigInt(pages + 1) + 999_999_999n) / 1_000_000_000n;
        const usage = { compiledBytes: 0, inputBytes: 0, outputBytes: 0, readBytes: 0, writtenBytes: 0 };
        const most = BigInt(Number.MAX_SAFE_INTEGER);
        expect(price(rates, { ...usage, fuel, memoryPagesPeak: pages })).toBe(Number(exact < most ? exact : most));
      }),
    );
  });

  it('a price is a safe integer for every usage', () => {
    fc.assert(
      fc.property(
        ratesArbitrary,
        usageArbitrary,
        fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
        (rates, usage, fuel) => {
          expect(Number.isSafeInteger(price(rates, { ...usage, fuel }))).toBe(true);
        },
      ),
    );
  });
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('documents of a fixed shape', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 });
  const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });

  it('inputs have the bytes that any DAG-CBOR codec gives them', () => {
    const requests = fc.record(
      {
        method: text,
        path: text,
        query: text,
        headers: fc.dictionary(text, text, { noNullPrototype: true }),
        timeMs: count,
        seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
        body: fc.uint8Array({ maxLength: 2000 }),
      },
      { requiredKeys: ['method', 'path', 'query', 'headers', 'timeMs', 'seed'] },
    );
    fc.assert(
      fc.property(requests, text, (job, caller) => {
        expect(hex(encodeInput(job, caller))).toBe(hex(encode({ ...job, caller })));
      }),
    );
  });

  it('tasks have the bytes that any DAG-CBOR codec gives them', () => {
    const taskLimits = fc.record({
      fuelMax: count,
      memoryPagesMax: count,
      outputBytesMax: count,
      priceMaxBytes: count,
    });
    fc.assert(
      fc.property(taskLimits, (own) => {
        const bytes = encodeTask({ handler: cid, input: cid, limits: own });
        expect(hex(bytes)).toBe(hex(encode({ version: 1, handler: cid, input: cid, limits: own })));
        expect(decodeTask(bytes)).toMatchObject({ limits: own });
      }),
    );
  });

  it('receipts have the bytes that any DAG-CBOR codec gives them', async () => {
    const usage = fc.record({
      compiledBytes: count,
      inputBytes: count,
      outputBytes: count,
      readBytes: count,
      writtenBytes: count,
      fuel: count,
      memoryPagesPeak: count,
    });
    const receipts = fc.record(
      { usage, priceBytes: count, meterVersion: text, consumer: text, error: text },
      { requiredKeys: ['usage', 'priceBytes', 'meterVersion', 'consumer'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(receipts, { minLength: 1, maxLength: 9 }), async (parts) => {
        const all = parts.map((part): Receipt => ({
          task: cid,
          handler: cid,
          input: cid,
          output: cid,
          tariff: cid,
          provider,
          ...part,
        }));
        for (const { bytes, receipt } of sealReceipts(all, key)) {
          const { batch, receipt: payload, signature } = decode(bytes) as Record<string, unknown>;
          expect(hex(encode(payload))).toBe(hex(encode({ version: 1, ...receipt })));
          expect(hex(bytes)).toBe(hex(encode({ batch, receipt: payload, signature })));
          expect(encode(openReceipt(bytes).receipt)).toEqual(encode(receipt));
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('Merkle batches', () => {
  it('every leaf of every size leads to the root, and to no other place', () => {
    for (let leafCount = 1; leafCount <= 40; leafCount++) {
      const leaves = Array.from({ length: leafCount }, (_, i) => leafHash(new Uint8Array([i])));
      const { root, inclusions } = merkleTree(leaves);
      for (const [i, leaf] of leaves.entries()) {
        expect(climb(leaf, inclusions[i]!)?.root).toEqual(root);
        const other = inclusions[(i + 1) % leafCount]!;
        if (leafCount > 1) expect(climb(leaf, other)?.root).not.toEqual(root);
      }
    }
  });
});

it('the text of a CID is what multiformats writes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 0, maxLength: 120 }),
      fc.constantFrom(0x55, 0x70, 0x71, 0x0129),
      (bytes, code) => {
        const made = CID.createV1(code, identity.digest(bytes));
        expect(cidText(made)).toBe(made.toString());
        const hashed = CID.createV1(code, rawCid(bytes).multihash);
        expect(cidText(hashed)).toBe(hashed.toString());
      },
    ),
  );
});

describe('receipts', () => {
  const receipt = (priceBytes: number): Receipt => ({
    task: cid,
    handler: cid,
    input: cid,
    output: cid,
    usage: {
      compiledBytes: 0,
      inputBytes: 10,
      outputBytes: 20,
      readBytes: 0,
      writtenBytes: 0,
      fuel: 1234,
      memoryPagesPeak: 1,
    },
    priceBytes,
    tariff: cid,
    meterVersion: '1+abi.1',
    provider,
    consumer: provider,
  });

  it('each receipt of a batch holds alone', () => {
    const sealed = sealReceipts([1, 2, 3, 4, 5].map(receipt), key);
    for (const { bytes, cid: own } of sealed) {
      const opened = openReceipt(bytes);
      expect(opened.cid.equals(own)).toBe(true);
    }
  });

  it('the same job done twice gives two receipts, so that it is two debts', () => {
    const [first] = sealReceipts([receipt(5)], key);
    const [second] = sealReceipts([receipt(5)], key);
    expect(first!.cid.equals(second!.cid)).toBe(false);
  });

  it('a receipt with one changed byte is refused', () => {
    const [sealed] = sealReceipts([receipt(77), receipt(78)], key);
    const bytes = sealed!.bytes;
    for (let i = 0; i < bytes.length; i += 1) {
      const forged = bytes.slice();
      forged[i]! ^= 1;
      // A changed byte may be outside what is signed only if the decoder refuses it anyway.
      expect(() => openReceipt(forged), `byte ${i}`).toThrow(DocumentError);
    }
  });

  it('an opener that knows the batch already gives the same verdict as one that does not', () => {
    const batches = [sealReceipts([1, 2, 3, 4, 5, 6, 7].map(receipt), key), sealReceipts([8, 9].map(receipt), key)];
    const all = batches.flat().map(({ bytes }) => bytes);
    const one = fc.record({ which: fc.nat(all.length - 1), at: fc.nat(), flip: fc.constantFrom(0, 0, 1, 128) });
    const verdict = (open: () => SealedReceipt): string => {
      try {
        return open().cid.toString();
      } catch {
        return 'refused';
      }
    };
    fc.assert(
      fc.property(fc.array(one, { maxLength: 12 }), (receipts) => {
        const opener = new ReceiptOpener();
        for (const { which, at, flip } of receipts) {
          const bytes = all[which]!.slice();
          bytes[at % bytes.length]! ^= flip;
          expect(verdict(() => opener.open(bytes))).toBe(verdict(() => openReceipt(bytes)));
        }
      }),
    );
  });

  it('a signature of one kind of document is not accepted for another', async () => {
    const tariff = await sealTariff(
      { job: 1, compile: 1, input: 1, output: 1, read: 1, write: 1, fuel: 1, memory: 1 },
      key,
    );
    await expect(openQuote(tariff.bytes)).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
    const quote = await sealQuote({ task: cid, tariff: cid, priceMaxBytes: 1, compileBytes: 0, expiresMs: 1 }, key);
    await expect(openTariff(quote)).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
    expect(await openQuote(quote)).toMatchObject({ priceMaxBytes: 1, provider });
  });

  it('random bytes and random documents are refused with a reason, never with a crash', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.jsonValue().map((value) => encode(value)),
        ),
        async (bytes) => {
          expect(() => openReceipt(bytes)).toThrow(DocumentError);
          await expect(openTariff(bytes)).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
        },
      ),
    );
  });
});

describe('frames', () => {
  it('a stream cut anywhere gives the same frames', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }),
        (messages, cuts) => {
          const sent: Uint8Array[] = [];
          const writer = new FrameWriter(
            {
              send(bytes) {
                sent.push(bytes.subarray());
                return true;
              },
            },
            (error) => {
              throw error;
            },
          );
          for (const message of messages) writer.write(message);
          writer.flush();
          const all = Buffer.concat(sent);
          const reader = new FrameReader(FRAME_BYTES_MAX);
          const frames: Uint8Array[] = [];
          for (let offset = 0, i = 0; offset < all.length; i++) {
            const end = offset + cuts[i % cuts.length]!;
            reader.push(new Uint8Array(all.subarray(offset, end)), (frame) => frames.push(frame.slice()));
            offset = end;
          }
          expect(frames).toEqual(messages);
        },
      ),
    );
  });

  it('a frame over the limit is refused before its bytes arrive', () => {
    const reader = new FrameReader(1000);
    expect(() => reader.push(new Uint8Array([0xe9, 0x07]), () => {})).toThrowError(/1001 bytes/);
    expect(() => new FrameReader(1000).push(new Uint8Array(8).fill(0x80), () => {})).toThrowError(/length/);
  });
});

describe('requests', () => {
  it('what is encoded is what is decoded', () => {
    const frame = encodeTaskRequest(
      7,
      'task',
      cid,
      { ...request, headers: { accept: 'text/html' }, body: new Uint8Array([1]) },
      limits,
    );
    expect(decodeRequest(frame)).toMatchObject({
      id: 7,
      kind: 'task',
      limits,
      request: { headers: { accept: 'text/html' } },
    });
  });

  it('each field over its limit is refused by name, with the id to answer', () => {
    const cases: [Parameters<typeof encodeTaskRequest>[3], RegExp][] = [
      [{ ...request, method: '' }, /method/],
      [{ ...request, method: 'x'.repeat(33) }, /method/],
      [{ ...request, path: 'x'.repeat(5000) }, /path/],
      [{ ...request, query: 'x'.repeat(20_000) }, /query/],
      [{ ...request, seed: new Uint8Array(31) }, /seed/],
      [{ ...request, headers: { a: 'x'.repeat(40_000) } }, /headers/],
      [{ ...request, body: new Uint8Array(REQUEST_BODY_BYTES_MAX + 1) }, /Publish it/],
    ];
    for (const [bad, reason] of cases) {
      const frame = encodeTaskRequest(9, 'task', cid, bad, limits);
      expect(() => decodeRequest(frame)).toThrowError(reason);
      expect(() => decodeRequest(frame)).toThrowError(BadRequestError);
    }
  });

  it('a number above 2^53 on the wire is refused, not rounded', () => {
    const largest = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    const frame = Buffer.from(
      encodeTaskRequest(9, 'task', cid, { ...request, timeMs: Number.MAX_SAFE_INTEGER }, limits),
    );
    const at = frame.indexOf(largest);
    frame[at + 7] = 0x1f;
    expect(() => decodeRequest(frame)).toThrow();
  });

  it('prototype names as headers are only headers', () => {
    const frame = encodeTaskRequest(
      1,
      'task',
      cid,
      { ...request, headers: JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string> },
      limits,
    );
    const decoded = decodeRequest(frame);
    expect(decoded.kind === 'task' && Object.entries(decoded.request.headers)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(({} as { x?: string }).x).toBeUndefined();
  });

  it('too many headers, a missing task and the id 0 are refused', () => {
    const headers = Array.from({ length: HEADERS_MAX + 1 }, (_, i) => ({ name: `h${i}`, value: '' }));
    const task = {
      handler: cid.bytes as Uint8Array<ArrayBuffer>,
      method: 'GET',
      path: '/',
      query: '',
      headers,
      timeMs: 0,
      seed: new Uint8Array(32),
      limits,
    };
    expect(() => decodeRequest(Request.encode({ id: 1, task }))).toThrow();
    expect(() => decodeRequest(Request.encode({ id: 1 }))).toThrowError(/neither/);
    expect(() => decodeRequest(Request.encode({ id: 0, cancel: true }))).toThrowError(/id 0/);
  });

  it('random bytes either are a request or throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        try {
          decodeRequest(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
