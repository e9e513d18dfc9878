import { encode } from '@ipld/dag-cbor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { DocumentError } from '../../../sdk/protocol/index.ts';
import { openStatement } from '../statement.ts';
import { ERROR_CODE_LENGTH_MAX, ERROR_MESSAGE_LENGTH_MAX } from './constants.ts';
import { PeerBuckets, TokenBucket } from '../../net/index.ts';
import { decodeAnswer, encodeAnswer } from './wire.ts';

/** Anything that DAG-CBOR can say, with the names that the decoders look for among its keys. */
const names = ['statement', 'error', 'code', 'message', 'retryMs', 'payload', 'signature', 'signer', 'receipts'];
const { any } = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 50 }),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), tie('any'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

describe('an answer', () => {
  test('comes out as it went in', () => {
    const statement = { statement: new Uint8Array([1, 2, 3]) };
    expect(decodeAnswer(encodeAnswer(statement))).toEqual(statement);
    const refusal = { refusal: { code: 'TOO_OFTEN', message: 'Später, bitte.', retryMs: 5 } };
    expect(decodeAnswer(encodeAnswer(refusal))).toEqual(refusal);
  });

  test('of any bytes and of any structure is decoded within its limits or refused as a document', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      any.map((value) => encode(value)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (input) => {
        try {
          const answer = decodeAnswer(input);
          if ('refusal' in answer) {
            expect(answer.refusal.code.length).toBeLessThanOrEqual(ERROR_CODE_LENGTH_MAX);
            expect(answer.refusal.message.length).toBeLessThanOrEqual(ERROR_MESSAGE_LENGTH_MAX);
            expect(answer.refusal.message).not.toMatch(/\p{C}/u);
          } else expect(answer.statement).toBeInstanceOf(Uint8Array);
        } catch (error) {
          expect(error).toBeInstanceOf(DocumentError);
        }
        await expect(openStatement(input)).rejects.toBeInstanceOf(DocumentError);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('rates', () => {
  test('in any time nobody gets more than the burst and what has come since', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -2_000, max: 5_000 }), { maxLength: 100 }), (steps) => {
        const rate = { perSecond: 2, burst: 3 };
        const bucket = new TokenBucket(rate, 0);
        let nowMs = 0;
        let latestMs = 0;
        let taken = 0;
        for (const step of steps) {
          nowMs = Math.max(0, nowMs + step);
          latestMs = Math.max(latestMs, nowMs);
          const waitMs = bucket.waitMs(nowMs);
          if (waitMs > 0) {
            expect(waitMs).toBeLessThanOrEqual(1_000 / rate.perSecond);
            continue;
          }
          bucket.take();
          taken += 1;
          expect(taken).toBeLessThanOrEqual(rate.burst + (latestMs * rate.perSecond) / 1_000);
        }
      }),
    );
  });

  test('are remembered for those who asked last, and for no more than that', () => {
    const buckets = new PeerBuckets({ perSecond: 1, burst: 1 }, 2);
    for (const peer of ['a', 'b']) buckets.of(peer, 0).take();
    expect(buckets.of('a', 0).waitMs(0)).toBe(1_000);
    buckets.of('c', 0).take();
    expect([buckets.of('a', 0).waitMs(0), buckets.of('c', 0).waitMs(0)]).toEqual([1_000, 1_000]);
    expect(buckets.of('b', 0).waitMs(0)).toBe(0);
  });
});
