import { decode } from '@ipld/dag-cbor';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeMessage,
  DELIVER_METHOD,
  deliveryKey,
  deliveryOf,
  deliveryRequest,
  encodeMessage,
  FOLLOW_UPS_MAX,
  MESSAGE_BODY_BYTES_MAX,
  messageHash,
  messagesOf,
  messagesRoot,
  rawCid,
  recipientKind,
  serviceName,
  type ServiceMessage,
} from './index.ts';

const key = await generateKeyPair('Ed25519');
const service = serviceName(key.publicKey);
const peer = peerIdFromPrivateKey(key).toString();
const task = rawCid(Uint8Array.of(1));

const messages = fc.record({
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  from: fc.constantFrom(service, peer),
  to: fc.constantFrom(service, peer),
  timeMs: fc.maxSafeNat(),
  followUps: fc.nat(FOLLOW_UPS_MAX),
  body: fc.uint8Array({ maxLength: 300 }),
});

describe('a recipient', () => {
  it('is a service or a peer in the one text of its Ed25519 key, and nothing else', async () => {
    expect([service, peer].map(recipientKind)).toEqual(['service', 'peer']);
    const other = peerIdFromPrivateKey(await generateKeyPair('secp256k1')).toString();
    const rsa = 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N';
    const asCid = peerIdFromPrivateKey(key).toCID().toString();
    for (const text of [
      '',
      'k',
      '1',
      other,
      rsa,
      asCid,
      service.toUpperCase(),
      `${peer}1`,
      `1${peer}`,
      peer.slice(0, -1),
    ]) {
      expect(recipientKind(text), text).toBeUndefined();
    }
    expect(recipientKind('k'.repeat(1_000_000))).toBeUndefined();
  });
});

describe('a message', () => {
  it('is read as it was written, in plain DAG-CBOR', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const bytes = encodeMessage(message);
        expect(decode(bytes)).toEqual({ version: 1, ...message });
        expect(decodeMessage(bytes)).toEqual(message);
      }),
    );
  });

  it('has one encoding: any other bytes are refused, or are another message', () => {
    fc.assert(
      fc.property(messages, fc.nat(), fc.nat(255), (message, at, byte) => {
        const bytes = encodeMessage(message);
        const changed = bytes.slice();
        changed[at % bytes.length] = byte;
        let read: ServiceMessage;
        try {
          read = decodeMessage(changed);
        } catch (error) {
          expect(error).toMatchObject({ code: 'DOCUMENT_INVALID' });
          return;
        }
        expect(Buffer.compare(encodeMessage(read), changed)).toBe(0);
      }),
    );
  });

  it('over a limit is refused', () => {
    const [good] = messagesOf(task, { service, timeMs: 1, followUps: undefined }, [
      { to: peer, body: new Uint8Array() },
    ]);
    const wrong = [
      { id: new Uint8Array(15) },
      { from: 'nobody' },
      { to: 'nobody' },
      { followUps: FOLLOW_UPS_MAX + 1 },
      { body: new Uint8Array(MESSAGE_BODY_BYTES_MAX + 1) },
    ];
    for (const fields of wrong) expect(() => decodeMessage(encodeMessage({ ...good!, ...fields }))).toThrow('message');
    expect(() => decodeMessage(new Uint8Array(1_000_000))).toThrow('more than');
  });
});

describe('the messages of an update', () => {
  const outgoing = Array.from({ length: 5 }, (_, i) => ({ to: peer, body: Uint8Array.of(i) }));

  it('follow from its task: the same for whoever runs it, and no id twice', () => {
    const origin = { service, timeMs: 7, followUps: undefined };
    expect(messagesOf(task, origin, outgoing)).toEqual(messagesOf(task, origin, outgoing));
    const others = messagesOf(rawCid(Uint8Array.of(2)), origin, outgoing);
    const ids = [...messagesOf(task, origin, outgoing), ...others].map(({ id }) => Buffer.from(id).toString('hex'));
    expect(new Set(ids).size).toBe(10);
  });

  it('change the root that the commit says, whatever is changed about them, and their order', () => {
    const all = messagesOf(task, { service, timeMs: 7, followUps: undefined }, outgoing);
    const rootOf = (list: ServiceMessage[]): string =>
      Buffer.from(messagesRoot(list.map((message) => messageHash(encodeMessage(message))))).toString('hex');
    const roots = [
      all,
      all.toReversed(),
      all.slice(1),
      all.map((message) => ({ ...message, timeMs: 8 })),
      all.map((message) => ({ ...message, followUps: 0 })),
      all.map((message) => ({ ...message, body: Uint8Array.of(9) })),
    ].map(rootOf);
    expect(new Set(roots).size).toBe(roots.length);
  });

  it('are followed by 16 at most, however they branch', () => {
    const most = (followUps: number): number => {
      let found = 0;
      for (let count = 1; count <= followUps; count++) {
        const sent = messagesOf(
          task,
          { service, timeMs: 0, followUps },
          outgoing.slice(0, 1).concat(Array.from({ length: count - 1 }, () => outgoing[0]!)),
        );
        found = Math.max(found, count + count * most(sent[0]!.followUps));
      }
      return found;
    };
    expect(most(FOLLOW_UPS_MAX)).toBe(FOLLOW_UPS_MAX);
  });
});

describe('a delivery', () => {
  it('is read as it was written; its key is the same whatever else the message says', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const { to: _to, body, ...delivery } = message;
        const request = { ...deliveryRequest(message), query: '', timeMs: 0, seed: new Uint8Array(32) };
        expect(deliveryOf(request)).toMatchObject({ ...delivery, id: Buffer.from(delivery.id) });
        expect(request.body).toBe(body);
        expect(deliveryKey({ ...delivery, timeMs: 0 } as typeof delivery).equals(deliveryKey(message))).toBe(true);
      }),
    );
  });

  it('has exactly its headers, each in its one form', () => {
    const [message] = messagesOf(task, { service, timeMs: 7, followUps: undefined }, [
      { to: peer, body: Uint8Array.of(1) },
    ]);
    const good = { ...deliveryRequest(message!), query: '' };
    expect(deliveryOf({ method: 'POST', headers: { from: 'anybody' } })).toBeUndefined();
    const headers = (changes: Record<string, string>) => ({ headers: { ...good.headers, ...changes } });
    const wrong: [string, Partial<typeof good>][] = [
      ['path', { path: '/elsewhere' }],
      ['query', { query: 'a=b' }],
      ['no headers', { headers: {} }],
      ['one more header', headers({ cookie: 'x' })],
      ['from', headers({ from: 'nobody' })],
      ['id', headers({ 'message-id': good.headers['message-id']!.toUpperCase().replaceAll(/\d/g, 'A') })],
      ['short id', headers({ 'message-id': 'ab' })],
      ['time', headers({ 'message-time': '01' })],
      ['negative time', headers({ 'message-time': '-1' })],
      ['follow-ups', headers({ 'follow-ups': String(FOLLOW_UPS_MAX + 1) })],
      ['body', { body: new Uint8Array(MESSAGE_BODY_BYTES_MAX + 1) }],
    ];
    for (const [what, change] of wrong) {
      expect(() => deliveryOf({ ...good, ...change }), what).toThrow(`A ${DELIVER_METHOD} request is not a message`);
    }
  });
});
