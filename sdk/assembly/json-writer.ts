import { jsonEscape } from './escape';
import { Utf8Buffer } from './utf8-buffer';

/** Deeper than this is a mistake: most readers of JSON refuse it. */
const DEPTH_MAX: i32 = 64;
const INTEGER_MAX: f64 = 9007199254740991;

/**
 * Writes JSON piece by piece: commas, colons, quotes and escapes are its business. What is not well-formed (a value
 * without a key in an object, an `end` too many) throws.
 *
 * ```ts
 * const json = new JsonWriter().object().key('name').string(name).key('votes').integer(3).end().toString();
 * ```
 */
export class JsonWriter {
  /** What there is so far, as it will be sent. */
  buffer: Utf8Buffer = new Utf8Buffer();
  /** For every level that is open, whether it is an object: one bit each, the innermost lowest. */
  private objects: u64 = 0;
  private depth: i32 = 0;
  private needsComma: bool = false;
  private hasKey: bool = false;

  /** Begins an object; `end` ends it. */
  object(): JsonWriter {
    return this.open(0x7b, 1);
  }

  /** Begins a list; `end` ends it. */
  array(): JsonWriter {
    return this.open(0x5b, 0);
  }

  /** Ends the innermost object or list. */
  end(): JsonWriter {
    if (this.depth == 0 || this.hasKey) throw new Error('JSON: an end without a beginning, or behind a key');
    this.buffer.addByte(this.inObject ? 0x7d : 0x5d);
    this.objects >>= 1;
    this.depth--;
    this.needsComma = true;
    return this;
  }

  /** Names the value that comes next in an object. */
  key(name: string): JsonWriter {
    if (!this.inObject || this.hasKey) throw new Error('JSON: no key can stand here: ' + name);
    this.comma();
    this.quote(name);
    this.buffer.addByte(0x3a);
    this.hasKey = true;
    return this;
  }

  string(value: string): JsonWriter {
    this.begin();
    this.quote(value);
    return this;
  }

  /** A number; whole ones are written without a fraction, NaN and the infinities as null, as JavaScript does. */
  number(value: f64): JsonWriter {
    if (value == Math.trunc(value) && Math.abs(value) <= INTEGER_MAX) return this.integer(<i64>value);
    return this.json(isFinite(value) ? value.toString() : 'null');
  }

  /** A whole number. JavaScript reads those beyond 2^53 inexactly. */
  integer(value: i64): JsonWriter {
    return this.json(value.toString());
  }

  bool(value: bool): JsonWriter {
    return this.json(value ? 'true' : 'false');
  }

  null(): JsonWriter {
    return this.json('null');
  }

  /** A value that is JSON already. */
  json(text: string): JsonWriter {
    this.begin();
    this.buffer.add(text);
    return this;
  }

  toString(): string {
    return this.buffer.toString();
  }

  private get inObject(): bool {
    return this.depth > 0 && (this.objects & 1) != 0;
  }

  private open(bracket: i32, isObject: u64): JsonWriter {
    if (this.depth == DEPTH_MAX) throw new Error('JSON: nested more than 64 deep');
    this.begin();
    this.buffer.addByte(bracket);
    this.objects = (this.objects << 1) | isObject;
    this.depth++;
    this.needsComma = false;
    return this;
  }

  /** What comes before a value. */
  private begin(): void {
    if (this.inObject) {
      if (!this.hasKey) throw new Error('JSON: a value in an object needs a key before it');
      this.hasKey = false;
    } else {
      if (this.depth == 0 && this.needsComma) throw new Error('JSON: a second value behind the whole document');
      this.comma();
    }
    this.needsComma = true;
  }

  private comma(): void {
    if (this.needsComma) this.buffer.addByte(0x2c);
    this.needsComma = false;
  }

  private quote(text: string): void {
    this.buffer.addByte(0x22);
    this.buffer.addReplaced(text, jsonEscape);
    this.buffer.addByte(0x22);
  }
}
