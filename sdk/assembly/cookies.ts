import { urlDecode } from './url';

/** The cookies that a browser sent along, by name; values are percent-decoded, as `Response.cookie` encodes them. */
export class Cookies {
  constructor(private header: string) {}

  /** The value of `name`, or `fallback` where the browser has none. */
  get(name: string, fallback: string = ''): string {
    const at = this.find(name);
    return at < 0 ? fallback : urlDecode(valueAt(this.header, at));
  }

  has(name: string): bool {
    return this.find(name) >= 0;
  }

  /** As it came: `a=1; b=2`. */
  toString(): string {
    return this.header;
  }

  /** Where the value of the first cookie called `name` begins, or -1. */
  private find(name: string): i32 {
    const header = this.header;
    let at = 0;
    while (at < header.length) {
      while (at < header.length && isBetween(header.charCodeAt(at))) at++;
      const end = endOf(header, at);
      let equals = header.indexOf('=', at);
      if (equals >= 0 && equals < end && header.substring(at, equals).trimEnd() == name) return equals + 1;
      at = end + 1;
    }
    return -1;
  }
}

function isBetween(unit: i32): bool {
  return unit == 0x20 || unit == 0x09 || unit == 0x3b;
}

function endOf(header: string, at: i32): i32 {
  const end = header.indexOf(';', at);
  return end < 0 ? header.length : end;
}

function valueAt(header: string, at: i32): string {
  const value = header.substring(at, endOf(header, at)).trim();
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  return isQuoted ? value.substring(1, value.length - 1) : value;
}
