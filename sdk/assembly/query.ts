import { allocate } from './bytes';
import { hexDigit } from './url';
import { utf8Decode, utf8LengthMax, utf8Write } from './utf8';

/** The parameters of a query string or of a submitted form, decoded on the way out. */
export class Query {
  private at: usize = 0;

  /** `source` keeps the bytes from `start` to `end` alive. */
  constructor(
    private source: ArrayBuffer,
    private start: usize,
    private end: usize,
  ) {}

  /** The parameters in `text`, written like a query string without its `?`. */
  static parse(text: string): Query {
    const bytes = allocate(utf8LengthMax(text));
    const start = changetype<usize>(bytes);
    return new Query(bytes, start, utf8Write(text, start));
  }

  /** The first value of `name`, or `fallback` where the query does not have it. */
  get(name: string, fallback: string = ''): string {
    this.at = this.start;
    return this.find(name) ? this.value() : fallback;
  }

  has(name: string): bool {
    this.at = this.start;
    return this.find(name);
  }

  /** Every value of `name`, in order. */
  all(name: string): string[] {
    const values: string[] = [];
    this.at = this.start;
    while (this.find(name)) {
      values.push(this.value());
      this.at++;
    }
    return values;
  }

  /** As it came, nothing decoded. */
  toString(): string {
    return utf8Decode(this.start, <i32>(this.end - this.start));
  }

  /** Goes on to the value of the next parameter called `name`. */
  private find(name: string): bool {
    const wanted = changetype<usize>(allocate(utf8LengthMax(name)));
    const length = utf8Write(name, wanted) - wanted;
    while (this.at < this.end) {
      let matching: usize = 0;
      let code: i32;
      let same = true;
      while ((code = this.byte(0x3d)) >= 0) {
        if (matching == length || load<u8>(wanted + matching) != code) same = false;
        else matching++;
      }
      const named = same && matching == length;
      if (this.at < this.end && load<u8>(this.at) == 0x3d) this.at++;
      if (named) return true;
      while (this.byte(0x26) >= 0) {}
      this.at++;
    }
    return false;
  }

  /** Decodes the value that `find` went to. */
  private value(): string {
    const decoded = changetype<usize>(allocate(<i32>(this.end - this.at)));
    let end = decoded;
    let code: i32;
    while ((code = this.byte(0x26)) >= 0) store<u8>(end++, code);
    return utf8Decode(decoded, <i32>(end - decoded));
  }

  /** The next byte, decoded, or -1 before `stop`, before `&` and at the end. A `%` that escapes nothing stays. */
  private byte(stop: i32): i32 {
    const at = this.at;
    const end = this.end;
    if (at >= end) return -1;
    const code: i32 = load<u8>(at);
    if (code == stop || code == 0x26) return -1;
    this.at = at + 1;
    if (code == 0x2b) return 0x20;
    if (code == 0x25 && end - at > 2) {
      const escaped = (hexDigit(load<u8>(at, 1)) << 4) | hexDigit(load<u8>(at, 2));
      if (escaped >= 0) {
        this.at = at + 3;
        return escaped;
      }
    }
    return code;
  }
}
