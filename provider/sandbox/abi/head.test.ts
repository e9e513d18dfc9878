import { encode } from '@ipld/dag-cbor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeHead } from './head.ts';
import { ABI_LIMITS } from './limits.ts';

const headers = fc.dictionary(
  fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.constantFrom('__proto__', 'constructor', 'toString')),
  fc.string({ unit: 'binary', maxLength: 100 }),
  { maxKeys: 10 },
);
const head = fc.record({ status: fc.integer({ min: 100, max: 599 }), headers });

describe('a response head', () => {
  test('reads back as it was encoded, whatever the headers are called', () => {
    fc.assert(
      fc.property(head, (value) => {
        const decoded = decodeHead(encode(value));
        expect(decoded.status).toBe(value.status);
        expect(Object.entries(decoded.headers).sort()).toEqual(Object.entries(value.headers).sort());
        expect(Object.getPrototypeOf(decoded.headers)).toBe(Object.prototype);
      }),
    );
  });

  test('is refused when a byte is missing or follows', () => {
    fc.assert(
      fc.property(head, fc.nat(), (value, at) => {
        const bytes = encode(value);
        expect(() => decodeHead(bytes.subarray(0, at % bytes.length))).toThrow(/INVALID|must be the response head/);
        expect(() => decodeHead(Uint8Array.of(...bytes, 0))).toThrow(/follow it/);
      }),
    );
  });

  test('never takes two byte strings for the same head', () => {
    fc.assert(
      fc.property(head, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
        const bytes = encode(value);
        const changed = bytes.slice();
        changed[at % bytes.length] = (changed[at % bytes.length] ?? 0) ^ flip;
        let decoded;
        try {
          decoded = decodeHead(changed);
        } catch {
          return;
        }
        expect(Buffer.compare(encode(decoded), changed)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  test.each<[string, unknown]>([
    ['status 99', { status: 99, headers: {} }],
    ['status 600', { status: 600, headers: {} }],
    ['a status that is a text', { status: '200', headers: {} }],
    ['a negative status', { status: -1, headers: {} }],
    ['a fractional status', { status: 200.5, headers: {} }],
    ['a huge status', { status: 2 ** 50, headers: {} }],
    ['no headers', { status: 200 }],
    ['a header that is a number', { status: 200, headers: { a: 1 } }],
    ['headers in a list', { status: 200, headers: ['a', 'b'] }],
    ['a third key', { status: 200, headers: {}, x: 1 }],
    ['no map', [200, {}]],
    [
      'too many headers',
      { status: 200, headers: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`h${i}`, ''])) },
    ],
    ['too many bytes', { status: 200, headers: { a: 'x'.repeat(ABI_LIMITS.headBytesMax) } }],
  ])('is refused with %s', (_, value) => {
    expect(() => decodeHead(encode(value))).toThrow(
      expect.objectContaining({ code: 'INVALID_OUTPUT', fault: 'handler' }),
    );
  });

  test.each([
    ['a status longer than it needs to be', 'a26673746174757319 00c8 6768656164657273a0'],
    ['keys in another order', 'a26768656164657273a06673746174757318c8'],
    ['an indefinite map', 'bf6673746174757318c86768656164657273a0ff'],
    ['a key that says it is longer than all', 'a2 7affffffff 73'],
    ['a header twice', 'a26673746174757318c86768656164657273a2616160616160'],
    ['headers out of order', 'a26673746174757318c86768656164657273a2616260616160'],
    ['text that is not UTF-8', 'a26673746174757318c86768656164657273a1616161ff'],
  ])('is refused with %s', (_, hex) => {
    expect(() => decodeHead(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toThrow(
      expect.objectContaining({ code: 'INVALID_OUTPUT' }),
    );
  });
});
