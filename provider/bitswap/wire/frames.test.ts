import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidMessageError } from '../errors.ts';
import { FrameReader, LimitedBudget } from './frames.ts';
import { varintLength, writeVarint } from './varint.ts';

function frame(length: number, fill: number): Uint8Array {
  const bytes = new Uint8Array(varintLength(length) + length).fill(fill);
  writeVarint(bytes, 0, length);
  return bytes;
}

function open(budget = new LimitedBudget(1e9), max = 4 * 1024 * 1024): { reader: FrameReader; frames: Uint8Array[] } {
  const frames: Uint8Array[] = [];
  return { frames, reader: new FrameReader(budget, max, (bytes) => void frames.push(Uint8Array.from(bytes))) };
}

test('frames come out whole, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3_000), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }),
      (lengths, cuts) => {
        const budget = new LimitedBudget(1e9);
        const { reader, frames } = open(budget);
        const stream = Buffer.concat(lengths.map((length, index) => frame(length, index + 1)));
        let offset = 0;
        for (let turn = 0; offset < stream.length; turn++) {
          const end = offset + cuts[turn % cuts.length]!;
          reader.push(Uint8Array.from(stream.subarray(offset, end)));
          offset = end;
        }
        expect(frames.map(({ length }) => length)).toEqual(lengths);
        for (const [index, bytes] of frames.entries()) expect(bytes.every((byte) => byte === index + 1)).toBe(true);
        expect(budget.used).toBe(0);
        expect(reader.unfinished).toBe(false);
      },
    ),
  );
});

test('a frame over the limit is refused by its length alone', () => {
  const { reader } = open(new LimitedBudget(1e9), 1000);
  expect(() => reader.push(frame(1001, 0).subarray(0, 3))).toThrow(InvalidMessageError);
});

test('a length that never ends is refused', () => {
  const { reader } = open();
  expect(() => reader.push(new Uint8Array(9).fill(0xff))).toThrow(InvalidMessageError);
});

test('an announced length costs nothing before its bytes come', () => {
  const budget = new LimitedBudget(1e9);
  const { reader } = open(budget);
  reader.push(Uint8Array.from(frame(4_000_000, 0).subarray(0, 5)));
  expect(budget.used).toBeLessThan(100);
  expect(reader.unfinished).toBe(true);
});

test('unfinished messages of one peer share a budget, and all peers another', () => {
  const all = new LimitedBudget(250_000);
  const peers = [new LimitedBudget(100_000, all), new LimitedBudget(100_000, all), new LimitedBudget(100_000, all)];
  const half = frame(160_000, 0).subarray(0, 80_000).slice();
  for (const peer of peers) open(peer).reader.push(half);
  expect(all.used).toBe(3 * (half.length - 3));
  expect(() => open(peers[0]).reader.push(half)).toThrow(InvalidMessageError);
  expect(() => open(new LimitedBudget(100_000, all)).reader.push(half)).toThrow(InvalidMessageError);
  expect(all.used).toBe(3 * (half.length - 3));
});

test('a one-byte piece that keeps a large buffer alive is charged with the buffer', () => {
  const budget = new LimitedBudget(1e9);
  const { reader } = open(budget);
  reader.push(frame(1_000, 0).subarray(0, 10).slice());
  const large = new Uint8Array(60_000);
  reader.push(large.subarray(5, 6));
  expect(budget.used).toBeGreaterThanOrEqual(60_000);
});

test('closing a stream gives its memory back', () => {
  const budget = new LimitedBudget(1e9);
  const { reader } = open(budget);
  reader.push(frame(160_000, 0).subarray(0, 80_000).slice());
  reader.close();
  expect(budget.used).toBe(0);
});
