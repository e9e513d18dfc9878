import fc from 'fast-check';
import { Uint8ArrayList } from 'uint8arraylist';
import { expect, test } from 'vitest';
import { markOurs } from '../../node/spent-buffers.ts';
import { FrameReader, LimitedBudget } from '../wire/frames.ts';
import { varintLength, writeVarint } from '../wire/varint.ts';
import { SpentChunks } from './spent-chunks.ts';

/**
 * Goal: a buffer is given back only when nobody can need it. Method: frames of two streams in one connection, in buffers
 * cut anywhere, taken apart as yamux does it; the other stream keeps views of all that it gets, and must find it there.
 */

const HEADER_BYTES = 12;
const OURS = 1;
const THEIRS = 2;

interface MuxerFrame {
  stream: number;
  data: Uint8Array;
}

function encode({ stream, data }: MuxerFrame): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + data.length);
  frame[0] = stream;
  new DataView(frame.buffer).setUint32(8, data.length);
  frame.set(data, HEADER_BYTES);
  return frame;
}

/** As yamux's decoder: what is not complete waits as views of the buffers it came in. */
function* decode(pending: Uint8ArrayList, buffer: Uint8Array): Generator<{ stream: number; data: Uint8ArrayList }> {
  pending.append(buffer);
  while (pending.byteLength >= HEADER_BYTES) {
    const header = pending.subarray(0, HEADER_BYTES);
    const end = HEADER_BYTES + new DataView(header.buffer, header.byteOffset).getUint32(8);
    if (pending.byteLength < end) return;
    const data = pending.sublist(HEADER_BYTES, end);
    pending.consume(end);
    yield { stream: header[0] as number, data };
  }
}

/** Sends them in buffers of these sizes, and returns what the two streams got in the end. */
function carry(frames: MuxerFrame[], cuts: number[]) {
  const all = Buffer.concat(frames.map(encode));
  const messages: Uint8Array[] = [];
  const kept: Uint8ArrayList[] = [];
  const buffers: ArrayBufferLike[] = [];
  const pending = new Uint8ArrayList();
  const reader = new FrameReader(
    new LimitedBudget(1e9),
    1e9,
    (frame, owned) => void messages.push(owned ? frame : Uint8Array.from(frame)),
    new SpentChunks(),
  );
  let offset = 0;
  for (let turn = 0; offset < all.length; turn++) {
    const buffer = Uint8Array.from(all.subarray(offset, offset + (cuts[turn % cuts.length] as number)));
    offset += buffer.length;
    markOurs(buffer);
    buffers.push(buffer.buffer);
    for (const { stream, data } of decode(pending, buffer)) {
      if (stream === THEIRS) kept.push(data);
      else for (const chunk of data) reader.push(chunk);
    }
  }
  return { messages, kept, given: buffers.filter(({ byteLength }) => byteLength === 0).length, buffers };
}

const message = (length: number, fill: number): Uint8Array => {
  const bytes = new Uint8Array(varintLength(length) + length).fill(fill);
  writeVarint(bytes, 0, length);
  return bytes;
};

/** The messages of our stream in frames of this size, between frames of the other stream. */
function interleave(messages: Uint8Array[], frameBytes: number, others: number[]): MuxerFrame[] {
  const stream = Buffer.concat(messages);
  const frames: MuxerFrame[] = [];
  for (let offset = 0, turn = 0; offset < stream.length; offset += frameBytes, turn++) {
    frames.push({ stream: OURS, data: Uint8Array.from(stream.subarray(offset, offset + frameBytes)) });
    const other = others[turn % others.length] ?? -1;
    if (other >= 0) frames.push({ stream: THEIRS, data: new Uint8Array(other).fill(turn + 1) });
  }
  return frames;
}

test('messages and the data of other streams come out whole, however frames lie in the buffers', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(40_000), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 500, max: 20_000 }),
      fc.array(fc.oneof(fc.constant(-1), fc.nat(30), fc.nat(6_000)), { maxLength: 5 }),
      fc.array(fc.integer({ min: 4_000, max: 9_000 }), { minLength: 1, maxLength: 7 }),
      (lengths, frameBytes, others, cuts) => {
        const sent = lengths.map((length, index) => message(length, index + 1));
        const frames = interleave(sent, frameBytes, others);
        const { messages, kept } = carry(frames, cuts);
        expect(messages.map(({ length }) => length)).toEqual(lengths);
        for (const [index, bytes] of messages.entries()) expect(bytes.every((byte) => byte === index + 1)).toBe(true);
        const theirs = frames.filter(({ stream }) => stream === THEIRS);
        expect(kept.map((list) => Buffer.from(list.subarray()))).toEqual(theirs.map(({ data }) => Buffer.from(data)));
      },
    ),
  );
});

test('buffers with nothing but our messages are given back, also when one message ends and the next begins in them', () => {
  const messages = Array.from({ length: 4 }, (_, index) => message(100_000, index + 1));
  const { given, buffers } = carry(interleave(messages, 65_000, []), [8192]);
  // Those that end in a header of the next frame, and what lies around them, are left to the collector.
  expect(given).toBeGreaterThan(buffers.length * 0.8);
});

test('a buffer that somebody else made is never given back', () => {
  const chunk = message(8_000, 1);
  const reader = new FrameReader(new LimitedBudget(1e9), 1e9, () => undefined, new SpentChunks());
  reader.push(chunk);
  expect(chunk.byteLength).toBe(8_002);
});

test('one byte of another stream in a buffer is enough to keep it', () => {
  const [first, second] = [message(5_000, 1), message(5_000, 2)];
  const frames = [
    { stream: OURS, data: first },
    { stream: THEIRS, data: Uint8Array.of(7) },
    { stream: OURS, data: second },
  ];
  const { kept, given } = carry(frames, [1e6]);
  expect([...kept[0]!.subarray()]).toEqual([7]);
  expect(given).toBe(0);
});

test('a header that waits for its rest at the end of a buffer is still read', () => {
  const messages = [message(15_997, 1), message(15_997, 2)];
  // The second buffer: the rest of the first frame, and five bytes of the next header.
  const { messages: got } = carry(interleave(messages, 16_000, []), [HEADER_BYTES + 8_000, 8_000 + 5]);
  expect(got.map(({ length }) => length)).toEqual([15_997, 15_997]);
});
