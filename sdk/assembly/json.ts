import { JsonKind, JsonValue } from './json-value';
import { parseNumber } from './number';

/** Deeper texts are refused: whoever sends one means no good. */
const DEPTH_MAX: i32 = 64;

/** Reads JSON (RFC 8259). Strings in it may hold any UTF-16, numbers become `f64`. */
export namespace Json {
  /** The value of a JSON text; a missing one (`exists` is false) when it is no JSON or nested more than 64 deep. */
  export function parse(text: string): JsonValue {
    const reader = new JsonReader(text);
    const value = reader.value(0);
    reader.space();
    return reader.failed || reader.at < text.length ? new JsonValue() : value;
  }
}

class JsonReader {
  at: i32 = 0;
  failed: bool = false;

  constructor(private text: string) {}

  space(): void {
    while (true) {
      const unit = this.peek();
      if (unit != 0x20 && unit != 0x0a && unit != 0x0d && unit != 0x09) return;
      this.at++;
    }
  }

  value(depth: i32): JsonValue {
    this.space();
    const unit = this.peek();
    if (unit == 0x22) return JsonValue.ofString(this.string());
    if (unit == 0x7b) return depth < DEPTH_MAX ? this.object(depth + 1) : this.fail();
    if (unit == 0x5b) return depth < DEPTH_MAX ? this.array(depth + 1) : this.fail();
    if (unit == 0x74) return this.word('true', JsonKind.Bool, 1);
    if (unit == 0x66) return this.word('false', JsonKind.Bool, 0);
    if (unit == 0x6e) return this.word('null', JsonKind.Null, 0);
    return this.number();
  }

  /** The unit at the cursor, or -1 at the end. */
  private peek(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1;
  }

  private fail(): JsonValue {
    this.failed = true;
    return new JsonValue();
  }

  private take(unit: i32): bool {
    this.space();
    if (this.peek() != unit) return false;
    this.at++;
    return true;
  }

  private word(word: string, kind: JsonKind, value: f64): JsonValue {
    const end = this.at + word.length;
    if (this.text.substring(this.at, end) != word) return this.fail();
    this.at = end;
    return new JsonValue(kind, value);
  }

  private object(depth: i32): JsonValue {
    const keys: string[] = [];
    const items: JsonValue[] = [];
    this.at++;
    if (this.take(0x7d)) return JsonValue.ofObject(keys, items);
    while (!this.failed) {
      this.space();
      if (this.peek() != 0x22) return this.fail();
      keys.push(this.string());
      if (this.failed || !this.take(0x3a)) return this.fail();
      items.push(this.value(depth));
      if (this.take(0x7d)) break;
      if (!this.take(0x2c)) return this.fail();
    }
    return JsonValue.ofObject(keys, items);
  }

  private array(depth: i32): JsonValue {
    const items: JsonValue[] = [];
    this.at++;
    if (this.take(0x5d)) return JsonValue.ofArray(items);
    while (!this.failed) {
      items.push(this.value(depth));
      if (this.take(0x5d)) break;
      if (!this.take(0x2c)) return this.fail();
    }
    return JsonValue.ofArray(items);
  }

  /** Reads a string from its opening quote to behind its closing one. */
  private string(): string {
    const text = this.text;
    const start = ++this.at;
    let end = start;
    let escapes = 0;
    while (true) {
      if (end >= text.length) return this.failString();
      const unit = text.charCodeAt(end);
      if (unit == 0x22) break;
      if (unit < 0x20) return this.failString();
      if (unit == 0x5c) {
        escapes++;
        end++;
      }
      end++;
    }
    this.at = end + 1;
    return escapes == 0 ? text.substring(start, end) : this.unescape(start, end);
  }

  private unescape(start: i32, end: i32): string {
    // An escape is never shorter than the unit it stands for.
    const units = __new((<usize>(end - start)) << 1, idof<string>());
    let dst = units;
    for (let at = start; at < end; at++) {
      let unit = this.text.charCodeAt(at);
      if (unit == 0x5c) {
        unit = this.text.charCodeAt(++at);
        if (unit == 0x75) {
          unit = at + 4 < end ? hex4(this.text, at + 1) : -1;
          at += 4;
        } else unit = plainEscape(unit);
        if (unit < 0) return this.failString();
      }
      store<u16>(dst, unit);
      dst += 2;
    }
    return changetype<string>(units).substring(0, <i32>((dst - units) >> 1));
  }

  private failString(): string {
    this.failed = true;
    return '';
  }

  private number(): JsonValue {
    const text = this.text;
    const start = this.at;
    let at = start;
    while (at < text.length && isNumberUnit(text.charCodeAt(at))) at++;
    this.at = at;
    // What JSON does not allow though `parseNumber` does: a plus, leading zeros, a point without digits on both sides.
    const first = start < at && text.charCodeAt(start) == 0x2d ? start + 1 : start;
    if (first >= at || !isDigit(text.charCodeAt(first))) return this.fail();
    if (text.charCodeAt(first) == 0x30 && first + 1 < at && isDigit(text.charCodeAt(first + 1))) return this.fail();
    for (let i = first; i < at; i++) {
      if (text.charCodeAt(i) == 0x2e && (i + 1 == at || !isDigit(text.charCodeAt(i + 1)))) return this.fail();
    }
    const value = parseNumber(text.substring(start, at));
    return isNaN(value) ? this.fail() : new JsonValue(JsonKind.Number, value);
  }
}

function isDigit(unit: i32): bool {
  return <u32>(unit - 0x30) < 10;
}

function isNumberUnit(unit: i32): bool {
  return isDigit(unit) || unit == 0x2b || unit == 0x2d || unit == 0x2e || (unit | 0x20) == 0x65;
}

/** What a backslash and this unit stand for, or -1. */
function plainEscape(unit: i32): i32 {
  switch (unit) {
    case 0x22:
    case 0x2f:
    case 0x5c:
      return unit;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return -1;
  }
}

function hex4(text: string, at: i32): i32 {
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const unit = text.charCodeAt(i);
    const letter = (unit | 0x20) - 0x61;
    if (isDigit(unit)) value = (value << 4) | (unit - 0x30);
    else if (<u32>letter < 6) value = (value << 4) | (letter + 10);
    else return -1;
  }
  return value;
}
