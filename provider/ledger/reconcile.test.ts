import { decode } from '@ipld/dag-cbor';
import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import { decode as decodeVarint, encodingLength } from 'uint8-varint';
import { beforeAll, describe, expect, test } from 'vitest';

import { dagCborCid, rawCid, sealDocument } from '../../sdk/protocol/index.ts';
import { statementsCar } from './car.ts';
import type { PersistentScoreLedger } from './ledger.ts';
import { reconcile, type Reconciliation } from './reconcile.ts';
import { openStatement, sealStatement, STATED_RECEIPTS_MAX, stateAccount, type AccountStatement } from './statement.ts';
import { memoryLedger, testKey, testPeers } from './testing.ts';
import type { LedgerRecord } from './types.ts';

let aliceKey: Ed25519PrivateKey;
let alice: PeerId;
let bob: PeerId;

beforeAll(async () => {
  aliceKey = await testKey(0);
  [alice, bob] = (await testPeers(2)) as [PeerId, PeerId];
});

function document(name: string | number): LedgerRecord {
  const bytes = new TextEncoder().encode(`document ${name}`);
  return { cid: rawCid(bytes).toString(), bytes };
}

function open(): PersistentScoreLedger {
  return memoryLedger({ policy: { newcomerLineBytes: 2 ** 40, limitBytesMax: 2 ** 40, strangerPoolBytes: 2 ** 40 } })
    .ledger;
}

function compare(ofAlice: PersistentScoreLedger, ofBob: PersistentScoreLedger): Reconciliation {
  return reconcile(stateAccount(ofAlice, alice, bob, 1), stateAccount(ofBob, bob, alice, 2));
}

/** Alice works for Bob. */
async function job(
  ofAlice: PersistentScoreLedger,
  ofBob: PersistentScoreLedger,
  name: string | number,
  arrives: boolean,
) {
  await ofAlice.settle(ofAlice.reserve(bob, 1_000, 'work'), 100, document(name));
  if (arrives) await ofBob.receiveWork(alice, 100, document(name));
}

describe('two ledgers', () => {
  test('that saw the same agree', async () => {
    const [ofAlice, ofBob] = [open(), open()];
    await job(ofAlice, ofBob, 'a', true);
    ofAlice.addToSentBytes(bob, 5);
    ofBob.addToReceivedBytes(alice, 5);
    expect(compare(ofAlice, ofBob)).toEqual({
      agrees: true,
      differences: [],
      ghost: { ours: 0, theirs: 0 },
    });
  });

  test('find the receipt that was lost with a connection, and agree when it is shown again', async () => {
    const [ofAlice, ofBob] = [open(), open()];
    for (const name of ['a', 'b', 'c']) await job(ofAlice, ofBob, name, name !== 'b');
    const lost = document('b');
    expect(compare(ofAlice, ofBob).differences).toEqual([
      { total: 'work we did', cause: 'RECEIPT_NOT_RECEIVED', bytes: 100, receipts: [CID.parse(lost.cid)] },
    ]);
    await ofBob.receiveWork(alice, 100, lost);
    expect(compare(ofAlice, ofBob).agrees).toBe(true);
  });

  test('find forged receipts and other prices', async () => {
    const [ofAlice, ofBob] = [open(), open()];
    await job(ofAlice, ofBob, 'a', false);
    await ofBob.receiveWork(alice, 70, document('a'));
    await ofBob.receiveWork(alice, 9, document('forged'));
    expect(compare(ofAlice, ofBob).differences).toMatchObject([
      { cause: 'RECEIPT_NOT_GIVEN', bytes: -9, receipts: [{}] },
      { cause: 'PRICE_DIFFERS', bytes: 30, receipts: [{}] },
    ]);
  });

  test('tell blocks that did not arrive from blocks that were not booked', async () => {
    const [ofAlice, ofBob] = [open(), open()];
    ofAlice.addToSentBytes(bob, 5);
    ofBob.addToSentBytes(alice, 2);
    ofAlice.addToReceivedBytes(bob, 3);
    expect(compare(ofAlice, ofBob).differences).toEqual([
      { total: 'blocks we sent', cause: 'BLOCKS_NOT_COUNTED', bytes: 5, receipts: [] },
      { total: 'blocks we received', cause: 'BLOCKS_NOT_BOOKED', bytes: -1, receipts: [] },
    ]);
  });

  test('with more receipts than a statement lists still find what is missing among the newest', async () => {
    const [ofAlice, ofBob] = [open(), open()];
    const missing = [3, STATED_RECEIPTS_MAX + 200];
    for (let i = 0; i < STATED_RECEIPTS_MAX + 300; i++) await job(ofAlice, ofBob, i, !missing.includes(i));
    expect(compare(ofAlice, ofBob).differences).toEqual([
      {
        total: 'work we did',
        cause: 'RECEIPT_NOT_RECEIVED',
        bytes: 100,
        receipts: [CID.parse(document(missing[1]!).cid)],
      },
      { total: 'work we did', cause: 'OLDER_RECEIPTS', bytes: 100, receipts: [] },
    ]);
  });

  test('do not accuse each other of receipts that one of them has pruned', async () => {
    const [ofAlice, ofBob] = [open(), open()];
    for (let i = 0; i < 20; i++) await job(ofAlice, ofBob, i, true);
    await ofAlice.prune({ receiptsMax: 5 });
    expect(stateAccount(ofAlice, alice, bob, 1).receipts).toHaveLength(5);
    expect(compare(ofAlice, ofBob)).toMatchObject({ agrees: true, differences: [] });
    await ofBob.prune({ receiptsMax: 3 });
    expect(compare(ofAlice, ofBob)).toMatchObject({ agrees: true, differences: [] });
    await job(ofAlice, ofBob, 'late', false);
    expect(compare(ofAlice, ofBob).differences).toMatchObject([{ total: 'work we did', bytes: 100 }]);
  });

  test('of other peers are not compared', () => {
    const [ofAlice, ofBob] = [open(), open()];
    expect(() => reconcile(stateAccount(ofAlice, alice, bob, 1), stateAccount(ofBob, bob, bob, 1))).toThrow(TypeError);
  });

  test('agree after any interleaving of work, blocks, losses and repeats, up to what the causes explain', async () => {
    const event = fc.record({
      what: fc.constantFrom('work', 'blocks', 'show again'),
      fromAlice: fc.boolean(),
      bytes: fc.nat(1_000),
      arrives: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
        const sides = { alice: open(), bob: open() };
        const shown: { fromAlice: boolean; bytes: number; record: LedgerRecord }[] = [];
        const receive = (fromAlice: boolean, bytes: number, record: LedgerRecord) =>
          fromAlice ? sides.bob.receiveWork(alice, bytes, record) : sides.alice.receiveWork(bob, bytes, record);
        let lostBlocks = 0;
        for (const [i, { what, fromAlice, bytes, arrives }] of events.entries()) {
          const [giver, taker] = fromAlice ? [sides.alice, sides.bob] : [sides.bob, sides.alice];
          const [giverId, takerId] = fromAlice ? [alice, bob] : [bob, alice];
          if (what === 'work') {
            const record = document(`${i}`);
            await giver.settle(giver.reserve(takerId, 1_000, 'work'), bytes, record);
            if (arrives) await receive(fromAlice, bytes, record);
            shown.push({ fromAlice, bytes, record });
          } else if (what === 'blocks') {
            await giver.settle(giver.reserve(takerId, 1_000, 'blocks'), bytes);
            if (arrives) taker.addToReceivedBytes(giverId, bytes);
            else lostBlocks += bytes;
          } else {
            const again = shown[i % Math.max(1, shown.length)];
            if (again !== undefined) await receive(again.fromAlice, again.bytes, again.record);
          }
        }
        const { differences } = compare(sides.alice, sides.bob);
        expect(
          differences.every(({ cause }) => cause === 'RECEIPT_NOT_RECEIVED' || cause === 'BLOCKS_NOT_COUNTED'),
        ).toBe(true);
        const blocks = differences.filter(({ cause }) => cause === 'BLOCKS_NOT_COUNTED');
        expect(blocks.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(lostBlocks);
        for (const { fromAlice, bytes, record } of shown) await receive(fromAlice, bytes, record);
        const rest = compare(sides.alice, sides.bob).differences;
        expect(rest.every(({ cause }) => cause === 'BLOCKS_NOT_COUNTED')).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a statement', () => {
  async function sealed(changes: Partial<AccountStatement> & Record<string, unknown> = {}): Promise<Uint8Array> {
    const ledger = open();
    await ledger.receiveWork(bob, 7, document('a'));
    return sealStatement({ ...stateAccount(ledger, alice, bob, 5), ...changes }, aliceKey);
  }

  test('can be sealed and opened', async () => {
    expect(await openStatement(await sealed())).toEqual({
      issuer: alice.toString(),
      subject: bob.toString(),
      timeMs: 5,
      blocksSent: 0,
      blocksRecv: 0,
      workSent: 0,
      workRecv: 7,
      ghost: 0,
      receipts: [{ cid: CID.parse(document('a').cid), priceBytes: 7, given: false }],
    });
  });

  test.each([
    ['of somebody else', { issuer: 'somebody' }],
    ['with a negative amount', { workSent: -1 }],
    ['with a fraction', { blocksRecv: 0.5 }],
    ['with too large an amount', { ghost: 2 ** 52 }],
    [
      'whose receipts are more than can be added up',
      { receipts: [1, 2].map((i) => ({ cid: CID.parse(document(i).cid), priceBytes: 2 ** 51, given: true })) },
    ],
    ['that answers something that is no link', { answers: 'x' as unknown as CID }],
    ['without receipts', { receipts: 'none' as unknown as [] }],
    ['with a receipt that is no link', { receipts: [{ cid: 'x' as unknown as CID, priceBytes: 1, given: true }] }],
    ['of another version', { version: 2 }],
  ])('%s is refused', async (_, changes) => {
    const bytes =
      'version' in changes ? await sealDocument('account-statement', changes, aliceKey) : await sealed(changes);
    await expect(openStatement(bytes)).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
  });

  test('that was changed on the way is refused, wherever the change is', async () => {
    const bytes = await sealed();
    for (let i = 0; i < bytes.length; i += 7) {
      const changed = bytes.slice();
      changed[i]! ^= 1;
      await expect(openStatement(changed)).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
    }
  });

  test('with the most receipts fits a signed document', async () => {
    const receipts = Array.from({ length: STATED_RECEIPTS_MAX }, (_, i) => ({
      cid: CID.parse(document(i).cid),
      priceBytes: 2 ** 42,
      given: true,
    }));
    expect((await openStatement(await sealed({ receipts }))).receipts).toHaveLength(STATED_RECEIPTS_MAX);
  });

  test('and its receipts make a CAR file that can be checked on its own', async () => {
    const ledger = open();
    await ledger.receiveWork(bob, 7, document('a'));
    await ledger.receiveWork(bob, 8, document('b'));
    const statement = stateAccount(ledger, alice, bob, 5);
    const bytes = await sealStatement(statement, aliceKey);
    const car = Buffer.concat([
      ...statementsCar(
        [bytes],
        statement.receipts.map(({ cid }) => ({ cid, bytes: ledger.receipts.get(cid.toString())!.bytes! })),
      ),
    ]);
    const sections: Uint8Array[] = [];
    for (let offset = 0; offset < car.length;) {
      const length = decodeVarint(car, offset);
      offset += encodingLength(length);
      sections.push(car.subarray(offset, offset + length));
      offset += length;
    }
    const [header, ...blocks] = sections;
    expect(String(decode<{ roots: CID[] }>(header!).roots)).toBe(dagCborCid(bytes).toString());
    const read = blocks.map((block) => CID.decodeFirst(block));
    expect(read.map(([cid]) => cid.toString())).toEqual(
      [dagCborCid(bytes), ...statement.receipts.map(({ cid }) => cid)].map(String),
    );
    for (const [cid, content] of read.slice(1)) expect(rawCid(content).toString()).toBe(cid.toString());
  });
});
