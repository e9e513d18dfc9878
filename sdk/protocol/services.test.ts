import { encode } from '@ipld/dag-cbor';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { describe, expect, it } from 'vitest';
import { openAcceptance, sealAcceptance } from './acceptance.ts';
import { dagCborCid, rawCid } from './cids.ts';
import { openDescriptor, sealDescriptor, type Descriptor } from './descriptor.ts';
import { openReceipt, sealReceipts, type Receipt } from './receipt.ts';
import { openRollback, sealRollback } from './rollback.ts';
import { isServiceName, serviceKey, serviceName, serviceSigner } from './service-name.ts';
import { sealDocument } from './signed.ts';
import { decodeTask, encodeTask } from './task.ts';
import { decodeRequest, encodeTaskRequest } from './wire.ts';

const key = await generateKeyPair('Ed25519');
const other = await generateKeyPair('Ed25519');
const name = serviceName(key.publicKey);
const peer = peerIdFromPrivateKey(other).toString();
const cid = rawCid(new Uint8Array([1]));
const commit = dagCborCid(encode({}));
const fields: Omit<Descriptor, 'name'> = {
  handler: cid,
  site: cid,
  endpoints: [{ peer, addrs: ['/ip4/127.0.0.1/tcp/4771'] }],
  policy: { query: 'open', update: 'open', sponsor: 'caller' },
  sequence: 3,
  expiresMs: 2_000_000_000_000,
};

/** CIDs that are equal differ in what they are made of. */
function texts(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe('a service name', () => {
  it('leads to its key and back, in one spelling only', () => {
    expect(name).toMatch(/^k51/);
    expect(serviceKey(name).equals(key.publicKey)).toBe(true);
    expect(serviceSigner(name)).toBe(peerIdFromPrivateKey(key).toString());
    for (const text of ['', 'k51', name.toUpperCase(), `${name}a`, serviceSigner(name), 'x'.repeat(1000)]) {
      expect(isServiceName(text), text).toBe(false);
    }
  });
});

describe('signed documents of services', () => {
  it('come back as they were signed', async () => {
    const sealed = await sealDescriptor(fields, key);
    expect(texts((await openDescriptor(sealed.bytes)).descriptor)).toEqual(texts({ ...fields, name }));
    const acceptance = { service: name, descriptor: sealed.cid, tariff: cid, expiresMs: 5 };
    expect(texts(await openAcceptance(await sealAcceptance(acceptance, other)))).toEqual(
      texts({ ...acceptance, provider: peer }),
    );
    const order = { service: name, from: commit, to: sealed.cid };
    expect(texts(await openRollback(await sealRollback(order, key)))).toEqual(texts(order));
  });

  it('are refused with a reason when they are forged, malformed or over a limit', async () => {
    const payload = { version: 1, name, ...fields, downlinks: [] };
    const endpoint = fields.endpoints[0]!;
    const forgeries: [object, RegExp][] = [
      [{ ...payload, name: serviceName(other.publicKey) }, /not signed by the key/],
      [{ ...payload, version: 2 }, /version 2/],
      [{ ...payload, extra: 1 }, /field "extra"/],
      [{ ...payload, handler: 'bafy' }, /not a CID/],
      [{ ...payload, sequence: -1 }, /count/],
      [{ ...payload, downlinks: [{ path: 'a', name }] }, /downlinks/],
      [{ ...payload, policy: { ...fields.policy, sponsor: 'nobody' } }, /sponsor/],
      [{ ...payload, endpoints: Array.from({ length: 17 }, () => endpoint) }, /at most 16/],
      [{ ...payload, endpoints: [endpoint, endpoint] }, /twice/],
      [{ ...payload, endpoints: [{ ...endpoint, addrs: Array.from({ length: 9 }, () => '/ip4/1.2.3.4') }] }, /8 addr/],
      [{ ...payload, endpoints: [{ ...endpoint, addrs: ['http://'] }] }, /addresses/],
      [{ ...payload, endpoints: [{ peer: 'me', addrs: [] }] }, /peer id/],
    ];
    for (const [forged, reason] of forgeries) {
      await expect(openDescriptor(await sealDocument('descriptor', forged, key))).rejects.toThrow(reason);
    }
    await expect(openDescriptor(await sealDocument('acceptance', payload, key))).rejects.toThrow(/signature/);
    await expect(openDescriptor(new Uint8Array(50_000))).rejects.toThrow(/more than/);
    const order = { version: 1, service: name, from: commit, to: commit };
    await expect(openRollback(await sealDocument('rollback', order, other))).rejects.toThrow(/not signed by the key/);
  });
});

describe('a task with a service', () => {
  const limits = { fuelMax: 1, memoryPagesMax: 1, outputBytesMax: 1, priceMaxBytes: 1 };

  it('has a CID of its own, and a task without one keeps the CID that it always had', () => {
    const plain = { handler: cid, input: commit, limits };
    expect(texts(decodeTask(encodeTask({ ...plain, service: name })))).toEqual(texts({ ...plain, service: name }));
    expect(Buffer.from(encodeTask(plain))).toEqual(Buffer.from(encode({ version: 1, ...plain })));
    expect(Buffer.from(encodeTask({ ...plain, service: name }))).toEqual(
      Buffer.from(encode({ version: 1, ...plain, service: name })),
    );
    expect(() => decodeTask(encode({ version: 1, ...plain, service: 'k51' }))).toThrow(/service/);
  });

  it('says its service on the wire', () => {
    const request = { method: 'GET', path: '/', query: '', headers: {}, timeMs: 1, seed: new Uint8Array(32) };
    const frame = (service: string): Uint8Array =>
      encodeTaskRequest(1, 'task', cid, request, { ...limits, timeoutMs: 1 }, service);
    expect(decodeRequest(frame(name))).toMatchObject({ kind: 'task', service: name });
    expect(() => decodeRequest(frame('k51nonsense'))).toThrow(/service/);
  });
});

it('a receipt carries state, commit and sponsor when there are some', () => {
  const usage = { ...emptyUsage(), fuel: 7 };
  const plain: Receipt = {
    task: commit,
    handler: cid,
    input: commit,
    output: cid,
    usage,
    priceBytes: 9,
    tariff: commit,
    meterVersion: '2',
    provider: peer,
    consumer: name,
  };
  const all = { ...plain, state: commit, commit, sponsor: peer, error: 'TRAP' };
  for (const receipt of [plain, all, { ...plain, state: commit }]) {
    expect(texts(openReceipt(sealReceipts([receipt], other)[0]!.bytes).receipt)).toEqual(texts(receipt));
  }
});

function emptyUsage(): Receipt['usage'] {
  return {
    compiledBytes: 0,
    inputBytes: 0,
    outputBytes: 0,
    readBytes: 0,
    writtenBytes: 0,
    fuel: 0,
    memoryPagesPeak: 0,
  };
}
