import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Outcome } from '../types.ts';
import { batchBytes, readBatch, writeBatch, type WireJob } from './wire-batch.ts';
import { readResults, ResultWriter, type WireResult } from './wire-results.ts';

const count = fc.maxSafeNat();
const wireJob: fc.Arbitrary<WireJob> = fc.record(
  {
    moduleId: count,
    input: fc.uint8Array({ maxLength: 300 }),
    seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    timeMs: count,
    limits: fc.record({ fuelMax: count, memoryPagesMax: count, outputBytesMax: count, timeoutMs: count }),
    budget: fc.record({
      priceMax: count,
      compiledBytes: count,
      rates: fc.record({
        job: count,
        compile: count,
        input: count,
        output: count,
        read: count,
        write: count,
        fuel: count,
        memory: count,
      }),
    }),
  },
  { requiredKeys: ['moduleId', 'input', 'seed', 'timeMs', 'limits'] },
);

test('a batch arrives as it was sent', () => {
  fc.assert(
    fc.property(fc.array(wireJob, { maxLength: 10 }), (jobs) => {
      const numbered = jobs.map(({ moduleId, ...job }) => ({ job, record: { id: moduleId } }));
      const buffer = new ArrayBuffer(64 + batchBytes(numbered));
      writeBatch(buffer, 64, numbered);
      expect(readBatch(buffer, 64)).toEqual(jobs);
    }),
  );
});

const fault = fc.constantFrom('consumer', 'handler', 'provider');
const bytes = fc.uint8Array({ maxLength: 3000 });
const outcome: fc.Arbitrary<Outcome> = fc
  .record(
    {
      error: fc.record({ code: fc.string(), message: fc.string({ unit: 'binary' }), fault }),
      head: bytes,
      body: bytes,
      outputDigest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      status: count,
      fuel: count,
      memoryPagesPeak: count,
      readBytes: count,
      writtenBytes: count,
      logs: fc.array(fc.record({ level: fc.integer(), message: fc.string({ unit: 'binary' }) }), { maxLength: 3 }),
      elapsedMs: count,
    },
    {
      requiredKeys: [
        'head',
        'body',
        'outputDigest',
        'status',
        'fuel',
        'memoryPagesPeak',
        'readBytes',
        'writtenBytes',
        'logs',
        'elapsedMs',
      ],
    },
  )
  .map((value) => ({
    ...value,
    headers: value.head.length === 0 ? {} : { bytes: String(value.head.length) },
    outputBytes: value.head.length + value.body.length,
  }));
const result: fc.Arbitrary<WireResult> = fc.oneof(
  outcome.map((value) => ({ kind: 'outcome' as const, outcome: value })),
  fc.record({
    kind: fc.constant('failure' as const),
    failure: fc.record({ code: fc.string(), message: fc.string(), fault, retryable: fc.boolean() }),
    elapsedMs: count,
  }),
  fc.constant({ kind: 'notRun' as const }),
);

const writer = new ResultWriter();

test('results arrive as they were written, and share no memory', () => {
  fc.assert(
    fc.property(fc.array(result, { maxLength: 10 }), fc.boolean(), (results, shared) => {
      writer.reset(results.length);
      for (const each of results) {
        if (each.kind === 'outcome') writer.outcome(each.outcome);
        else if (each.kind === 'failure') writer.failure(each.failure, each.elapsedMs);
        else writer.notRun();
      }
      const size = 16 + writer.byteLength;
      const buffer = shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size);
      writer.copyTo(buffer, 16);
      const read = readResults(buffer, 16, results.length, (head) => ({ bytes: String(head.length) }));
      expect(read).toEqual(results);
      for (const each of read) {
        if (each.kind !== 'outcome') continue;
        const { head, body, outputDigest } = each.outcome;
        expect(head.buffer).toBeInstanceOf(ArrayBuffer);
        expect(body.buffer).toBe(head.buffer);
        expect(outputDigest.buffer).toBe(head.buffer);
        const bytes = head.byteLength + body.byteLength + outputDigest.byteLength;
        if (shared || results.length > 1) expect(bytes).toBe(head.buffer.byteLength);
      }
    }),
  );
});
