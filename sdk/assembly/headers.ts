import { MAJOR_MAP, MAJOR_TEXT, cborArgument, cborBad, cborHead, cborOpen, cborString } from './cbor';
import { utf8Decode } from './utf8';

function lower(code: i32): i32 {
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
}

function sameName(src: usize, length: i32, name: string): bool {
  if (length != name.length) return false;
  for (let i = 0; i < length; i++) {
    if (lower(load<u8>(src + i)) != lower(name.charCodeAt(i))) return false;
  }
  return true;
}

/** The headers of a request. Names are found whatever their case. */
export class Headers {
  private value: usize = 0;
  private valueLength: i32 = 0;

  /** `source` keeps the map at `start` alive. */
  constructor(
    private source: ArrayBuffer,
    private start: usize,
    private end: usize,
  ) {}

  /** The value of `name`, or `fallback` where the request does not have it. */
  get(name: string, fallback: string = ''): string {
    return this.find(name) ? utf8Decode(this.value, this.valueLength) : fallback;
  }

  has(name: string): bool {
    return this.find(name);
  }

  /** The names as they came. */
  names(): string[] {
    const names: string[] = [];
    cborOpen(this.start, this.end);
    if (cborHead() != MAJOR_MAP) return names;
    for (let left = cborArgument; left > 0; left--) {
      const name = cborString(MAJOR_TEXT);
      const length: i32 = cborArgument;
      cborString(MAJOR_TEXT);
      if (cborBad) break;
      names.push(utf8Decode(name, length));
    }
    return names;
  }

  private find(name: string): bool {
    cborOpen(this.start, this.end);
    if (cborHead() != MAJOR_MAP) return false;
    for (let left = cborArgument; left > 0; left--) {
      const found = cborString(MAJOR_TEXT);
      const length: i32 = cborArgument;
      this.value = cborString(MAJOR_TEXT);
      this.valueLength = cborArgument;
      if (cborBad) break;
      if (sameName(found, length, name)) return true;
    }
    return false;
  }
}
