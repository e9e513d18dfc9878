import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidMessageError } from '../errors.ts';
import { BitswapMessage, BlockPresenceType, WantType } from '../pb/message.js';
import { decodeMessage, type MessageVisitor } from './decode.ts';
import { encodeFrame, type MessageToSend } from './encode.ts';
import { FrameReader, LimitedBudget } from './frames.ts';

/** Everything a visitor was told, with bytes of its own. */
function collect(bytes: Uint8Array): Required<MessageToSend> {
  const message = { full: false, wants: [] as object[], blocks: [] as object[], presences: [] as object[] };
  const visitor: MessageVisitor = {
    wantlist: (full) => void (message.full = full),
    want: (entry) => void message.wants.push({ ...entry, cid: Uint8Array.from(entry.cid) }),
    block: (prefix, data) =>
      void message.blocks.push({
        prefix: prefix === undefined ? undefined : Uint8Array.from(prefix),
        data: Uint8Array.from(data),
      }),
    presence: (cid, have) => void message.presences.push({ cid: Uint8Array.from(cid), have }),
  };
  decodeMessage(bytes, visitor);
  return message as Required<MessageToSend>;
}

/** The body of a frame as one array. */
function bodyOf(message: MessageToSend): Uint8Array {
  const frames: Uint8Array[] = [];
  const reader = new FrameReader(new LimitedBudget(1e9), 1e9, (frame) => void frames.push(Uint8Array.from(frame)));
  const frame = encodeFrame(message);
  reader.push(frame instanceof Uint8Array ? frame : frame.subarray());
  expect(frames).toHaveLength(1);
  return frames[0]!;
}

const bytes = fc.uint8Array({ maxLength: 80 });
const want = fc.record({
  cid: bytes,
  priority: fc.nat(0x7fffffff),
  cancel: fc.boolean(),
  wantHave: fc.boolean(),
  sendDontHave: fc.boolean(),
});
const block = fc.record({
  prefix: fc.option(fc.uint8Array({ maxLength: 12 }), { nil: undefined }),
  data: fc.uint8Array({ maxLength: 200 }),
});
const messages: fc.Arbitrary<MessageToSend> = fc.record({
  full: fc.boolean(),
  wants: fc.array(want, { maxLength: 8 }),
  blocks: fc.array(block, { maxLength: 4 }),
  presences: fc.array(fc.record({ cid: bytes, have: fc.boolean() }), { maxLength: 8 }),
});

function toProtons({ full, wants = [], blocks = [], presences = [] }: MessageToSend): BitswapMessage {
  return {
    wantlist: {
      full: full === true,
      entries: wants.map(({ wantHave, ...entry }) => ({
        ...entry,
        wantType: wantHave ? WantType.WantHave : WantType.WantBlock,
      })),
    },
    rawBlocks: blocks.filter(({ prefix }) => prefix === undefined).map(({ data }) => data),
    blocks: blocks.flatMap(({ prefix, data }) => (prefix === undefined ? [] : [{ prefix, data }])),
    blockPresences: presences.map(({ cid, have }) => ({
      cid,
      type: have ? BlockPresenceType.HaveBlock : BlockPresenceType.DoNotHaveBlock,
    })),
    pendingBytes: 7,
  } as BitswapMessage;
}

test('any message that we write, another implementation reads as we meant it', () => {
  fc.assert(
    fc.property(messages, (message) => {
      const read = BitswapMessage.decode(bodyOf(message));
      const meant = toProtons(message);
      // Nothing is written for an empty wantlist.
      if (message.full !== true && message.wants?.length === 0) read.wantlist ??= { entries: [], full: false };
      expect({ ...read, pendingBytes: 7 }).toEqual(meant);
    }),
  );
});

test('any message that another implementation writes, we read as it meant it', () => {
  fc.assert(
    fc.property(messages, (message) => {
      const read = collect(BitswapMessage.encode(toProtons(message)));
      expect(read.wants).toEqual(message.wants);
      expect(read.presences).toEqual(message.presences);
      expect(read.full).toBe(message.full);
      const order = (blocks: readonly object[]): object[] =>
        [...blocks].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
      expect(order(read.blocks)).toEqual(order(message.blocks ?? []));
    }),
  );
});

test('a large block is passed on without being copied', () => {
  const data = new Uint8Array(100_000);
  const frame = encodeFrame({ blocks: [{ prefix: Uint8Array.of(1, 0x55, 0x12, 32), data }] });
  expect([...(frame as Iterable<Uint8Array>)].some((part) => part === data)).toBe(true);
});

test('bytes that are no message are refused, never misread into a crash', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => {
      try {
        collect(garbage);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidMessageError);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('a valid message with any one byte changed is read or refused, nothing else', () => {
  fc.assert(
    fc.property(messages, fc.nat(), fc.nat(255), (message, at, value) => {
      const body = bodyOf(message);
      if (body.length === 0) return;
      body[at % body.length] = value;
      try {
        collect(body);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidMessageError);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a field that lies about its length is refused', () => {
  expect(() => collect(Uint8Array.of(0x0a, 0x05, 0x0a))).toThrow(InvalidMessageError);
  expect(() => collect(Uint8Array.of(0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))).toThrow(
    InvalidMessageError,
  );
  expect(() => collect(Uint8Array.of(0x1a, 0x04, 0x0a, 0x05, 0x00, 0x00))).toThrow(InvalidMessageError);
});

test('a negative priority, which protobuf writes as ten bytes, is the lowest', () => {
  const cid = Uint8Array.of(1, 2, 3);
  const entry = { cid, priority: -5, cancel: false, wantType: WantType.WantBlock, sendDontHave: false };
  const body = BitswapMessage.encode({
    wantlist: { entries: [entry], full: false },
    rawBlocks: [],
    blocks: [],
    blockPresences: [],
    pendingBytes: 0,
  });
  expect(collect(body).wants).toMatchObject([{ priority: 0 }]);
});
