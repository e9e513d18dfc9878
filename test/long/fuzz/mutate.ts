import { seededRandom } from '../../../provider/metering/testing/random-module.ts';
import { Writer } from '../../../provider/metering/writer.ts';

interface Section {
  id: number;
  content: Uint8Array;
}

/** Bytes that mean something at many places: opcodes, prefixes, types, ends of ranges of LEB128. */
const interesting = Uint8Array.from(
  '00 01 02 03 04 05 0b 0c 0d 0e 0f 10 11 12 13 1a 1b 1c 20 21 22 23 24 25 26 28 36 3f 40 41 42 43 44 60 6f 70 7b 7c 7d 7e 7f 80 81 c0 d0 d1 d2 fb fc fd fe ff'
    .split(' ')
    .map((byte) => Number.parseInt(byte, 16)),
);

/**
 * Damages modules with a plan: mostly inside one section or one function body, whose sizes are put right again, so that
 * what comes after it is still read; now and then anywhere.
 */
export class Mutator {
  private readonly random: () => number;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  below(count: number): number {
    return Math.floor(this.random() * count);
  }

  mutate(parent: Uint8Array, other: Uint8Array): Uint8Array {
    let bytes = parent;
    for (let rounds = this.below(3) === 0 ? 1 + this.below(4) : 1; rounds > 0; rounds--) {
      bytes = this.below(4) === 0 ? this.bytes(bytes, 8) : this.structure(bytes, other);
    }
    return bytes;
  }

  private structure(bytes: Uint8Array, other: Uint8Array): Uint8Array {
    const sections = sectionsOf(bytes);
    if (sections.length === 0) return this.bytes(bytes, 0);
    const at = this.below(sections.length);
    const section = sections[at] as Section;
    switch (this.below(20)) {
      case 0:
        sections.splice(at, 1);
        break;
      case 1:
        sections.splice(this.below(sections.length), 0, section);
        break;
      case 2:
        sections.splice(this.below(sections.length), 0, ...sections.splice(at, 1));
        break;
      case 3:
        sections.push({ id: this.below(16), content: section.content });
        break;
      case 4: {
        const foreign = sectionsOf(other);
        const same = foreign.find(({ id }) => id === section.id) ?? foreign[this.below(foreign.length)];
        if (same !== undefined) sections[at] = same;
        break;
      }
      default: {
        // Bodies are where most rules are.
        const code = this.below(3) > 0 ? sections.findIndex(({ id }) => id === 10) : -1;
        const chosen = code >= 0 ? code : at;
        const { id, content } = sections[chosen] as Section;
        sections[chosen] = { id, content: id === 10 ? this.code(content) : this.bytes(content, 0) };
      }
    }
    return assemble(sections);
  }

  private code(content: Uint8Array): Uint8Array {
    const bodies = bodiesOf(content);
    if (bodies.length === 0) return this.bytes(content, 0);
    const at = this.below(bodies.length);
    bodies[at] = this.bytes(bodies[at] as Uint8Array, 0);
    if (this.below(30) === 0) bodies[this.below(bodies.length)] = bodies[at];
    const out = new Writer(content.length + 64);
    out.u32(bodies.length);
    for (const body of bodies) {
      out.u32(body.length);
      out.copy(body, 0, body.length);
    }
    return out.take();
  }

  /** One change to bytes from `from` on. */
  private bytes(bytes: Uint8Array, from: number): Uint8Array {
    const room = bytes.length - from;
    if (room <= 0) return bytes;
    const at = from + this.below(room);
    switch (this.below(9)) {
      case 0:
        return changed(bytes, at, 1, [this.below(256)]);
      case 1:
      case 2:
        return changed(bytes, at, 1, [interesting[this.below(interesting.length)] as number]);
      case 3:
        return changed(bytes, at, 1, [(bytes[at] as number) ^ (1 << this.below(8))]);
      case 4:
        return changed(bytes, at, 1 + this.below(4), []);
      case 5:
        return changed(bytes, at, 0, [interesting[this.below(interesting.length)] as number]);
      case 6: {
        // The same number in more bytes than it needs, or in more than are allowed.
        const byte = bytes[at] as number;
        const fill = Array.from({ length: 1 + this.below(10) }, () => 0x80);
        return byte < 0x80 ? changed(bytes, at, 1, [byte | 0x80, ...fill, 0]) : bytes;
      }
      case 7:
        return changed(bytes, at, 1, [0xff, 0xff, 0xff, 0xff, [0x00, 0x07, 0x0f, 0x7f, 0xff][this.below(5)] as number]);
      default: {
        const length = Math.min(1 + this.below(24), bytes.length - at);
        return changed(bytes, from + this.below(room), 0, bytes.subarray(at, at + length));
      }
    }
  }
}

function changed(bytes: Uint8Array, at: number, removed: number, added: ArrayLike<number>): Uint8Array {
  const rest = Math.min(bytes.length, at + removed);
  const out = new Uint8Array(at + added.length + bytes.length - rest);
  out.set(bytes.subarray(0, at));
  out.set(added, at);
  out.set(bytes.subarray(rest), at + added.length);
  return out;
}

/** The sections as far as they can be read. */
function sectionsOf(bytes: Uint8Array): Section[] {
  const sections: Section[] = [];
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at] as number;
    const [size, start] = readLength(bytes, at + 1);
    at = start + size;
    if (at > bytes.length) break;
    sections.push({ id, content: bytes.subarray(start, at) });
  }
  return sections;
}

function bodiesOf(content: Uint8Array): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  let [, at] = readLength(content, 0);
  while (at < content.length) {
    const [size, start] = readLength(content, at);
    at = start + size;
    if (at > content.length) break;
    bodies.push(content.subarray(start, at));
  }
  return bodies;
}

function readLength(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  return [value, at];
}

function assemble(sections: readonly Section[]): Uint8Array {
  const out = new Writer(1024);
  out.put(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  for (const { id, content } of sections) {
    out.byte(id);
    out.u32(content.length);
    out.copy(content, 0, content.length);
  }
  return out.take();
}
