import { expect, test } from 'vitest';
import { encodePrefix, parsePrefix, parseWireCid } from '../../provider/bitswap/cid.ts';
import { InvalidMessageError } from '../../provider/bitswap/errors.ts';
import { decodeMessage, type MessageVisitor } from '../../provider/bitswap/wire/decode.ts';
import { encodeFrame, type MessageToSend } from '../../provider/bitswap/wire/encode.ts';
import { FrameReader, LimitedBudget } from '../../provider/bitswap/wire/frames.ts';

/**
 * Goal: no bytes from a peer make the decoders do anything but read or refuse. Method: valid messages of every shape,
 * damaged where it hurts (lengths, tags, cuts, splices), read as whole messages and as streams in pieces of any size.
 */
const CASES = Number(process.env['BITSWAP_FUZZ_CASES'] ?? 10_000_000);
const SEED = 20_260_101;

/** xorshift32: a case can be repeated from its number alone. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761) | 1;
  }

  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index++) bytes[index] = this.below(256);
    return bytes;
  }

  some<T>(max: number, make: () => T): T[] {
    return Array.from({ length: this.below(max + 1) }, make);
  }
}

/** A CID or nearly one. */
function cid(random: Random): Uint8Array {
  const digestLength = [0, 20, 32, 32, 32, 64][random.below(6)] as number;
  const hashCode = [0x12, 0x12, 0x13, 0x00, 0xb240][random.below(5)] as number;
  const codec = [0x55, 0x70, 0x71, 0x1234][random.below(4)] as number;
  const digest = random.bytes(digestLength);
  if (random.below(4) === 0) return Uint8Array.of(0x12, 32, ...digest);
  return Uint8Array.of(...encodePrefix({ version: 1, codec, hashCode, digestLength }), ...digest);
}

function message(random: Random): MessageToSend {
  return {
    full: random.below(2) === 0,
    wants: random.some(3, () => ({
      cid: cid(random),
      priority: random.below(0x7fffffff),
      cancel: random.below(3) === 0,
      wantHave: random.below(2) === 0,
      sendDontHave: random.below(2) === 0,
    })),
    blocks: random.some(2, () => ({
      prefix: random.below(4) === 0 ? undefined : cid(random).subarray(0, 4),
      data: random.bytes(random.below(40)),
    })),
    presences: random.some(3, () => ({ cid: cid(random), have: random.below(2) === 0 })),
  };
}

const EXTREMES = [0x00, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x1a, 0x22, 0x10];

function damage(random: Random, bytes: Uint8Array): Uint8Array {
  let damaged = bytes;
  for (let count = random.below(4); count > 0 && damaged.length > 0; count--) {
    const at = random.below(damaged.length);
    switch (random.below(5)) {
      case 0:
        damaged[at] = random.below(256);
        break;
      case 1:
        damaged[at] = EXTREMES[random.below(EXTREMES.length)] as number;
        break;
      case 2:
        damaged = damaged.slice(0, at);
        break;
      case 3:
        // A varint that goes on and on.
        damaged.fill(0x80 | random.below(128), at, Math.min(damaged.length, at + random.below(12)));
        break;
      default: {
        const from = random.below(damaged.length);
        damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(from), damaged.subarray(at)]);
      }
    }
  }
  return damaged;
}

/** Fails on anything that a visitor must never see; returns how many pieces it saw. */
function read(bytes: Uint8Array): number {
  let pieces = 0;
  const inside = (view: Uint8Array): void => {
    pieces++;
    if (view.length === 0) return;
    const start = view.byteOffset - bytes.byteOffset;
    if (view.buffer !== bytes.buffer || start < 0 || start + view.length > bytes.length) {
      throw new Error('a view reaches out of its message');
    }
  };
  const visitor: MessageVisitor = {
    wantlist: () => void pieces++,
    want(entry) {
      inside(entry.cid);
      if (!(entry.priority >= 0 && entry.priority <= 0x7fffffff)) throw new Error(`priority ${entry.priority}`);
      parseWireCid(entry.cid);
    },
    block(prefix, data) {
      if (prefix !== undefined) {
        inside(prefix);
        parsePrefix(prefix);
      }
      inside(data);
    },
    presence(cidBytes) {
      inside(cidBytes);
      parseWireCid(cidBytes);
    },
  };
  decodeMessage(bytes, visitor);
  return pieces;
}

/** The same bytes as a stream in pieces: it ends in frames or in a refusal, and gives all its memory back. */
function stream(random: Random, bytes: Uint8Array): void {
  const budget = new LimitedBudget(1e9);
  const reader = new FrameReader(budget, 4096, (frame) => void read(frame));
  let refusal: unknown;
  try {
    for (let offset = 0; offset < bytes.length;) {
      const end = offset + 1 + random.below(64);
      reader.push(bytes.subarray(offset, end));
      offset = end;
    }
  } catch (error) {
    refusal = error;
  }
  reader.close();
  if (budget.used !== 0) throw new Error(`${budget.used} bytes were not given back`);
  if (refusal !== undefined) throw refusal;
}

test(`${CASES.toLocaleString('en-US')} damaged messages are read or refused, never anything else`, () => {
  let accepted = 0;
  let refused = 0;
  for (let number = 0; number < CASES; number++) {
    const random = new Random(SEED + number);
    const frame = Uint8Array.from(encodeFrame(message(random)).subarray());
    const bytes = damage(random, frame);
    try {
      if (number % 4 === 0) stream(random, bytes);
      else if (read(bytes.subarray(1)) > bytes.length) throw new Error('more pieces than bytes');
      accepted++;
    } catch (error) {
      if (!(error instanceof InvalidMessageError)) throw new Error(`case ${SEED + number}`, { cause: error });
      refused++;
    }
  }
  console.log(`${accepted} read, ${refused} refused`);
  // A generator that makes only one kind would prove nothing.
  expect(Math.min(accepted, refused)).toBeGreaterThan(CASES / 10);
});
