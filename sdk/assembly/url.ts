import { allocate } from './bytes';
import { utf8Decode, utf8LengthMax, utf8Write } from './utf8';

/** A hexadecimal digit's value, or -1. */
export function hexDigit(code: i32): i32 {
  if (<u32>(code - 0x30) < 10) return code - 0x30;
  code = (code | 0x20) - 0x61;
  return <u32>code < 6 ? code + 10 : -1;
}

/** Letters, digits and what else is never escaped (RFC 3986: unreserved). */
export function isUnreserved(code: i32): bool {
  const letter = (code | 0x20) - 0x61;
  return <u32>letter < 26 || <u32>(code - 0x30) < 10 || code == 0x2d || code == 0x2e || code == 0x5f || code == 0x7e;
}

/** `text` as UTF-8, every byte that `isPlain` does not let through as `%XX`. */
export function percentEncode(text: string, isPlain: (code: i32) => bool): string {
  const room = utf8LengthMax(text);
  const bytes = changetype<usize>(allocate(room));
  const end = utf8Write(text, bytes);
  const encoded = changetype<usize>(allocate(room * 3));
  let dst = encoded;
  for (let at = bytes; at < end; at++) {
    const code: i32 = load<u8>(at);
    if (isPlain(code)) {
      store<u8>(dst++, code);
      continue;
    }
    store<u8>(dst, 0x25);
    store<u8>(dst, upperHexDigit(code >> 4), 1);
    store<u8>(dst, upperHexDigit(code & 15), 2);
    dst += 3;
  }
  return utf8Decode(encoded, <i32>(dst - encoded));
}

function upperHexDigit(value: i32): i32 {
  return value + (value < 10 ? 0x30 : 0x37);
}

/** Text for one segment of a path, or for a name or a value of a query: everything but `A-Z a-z 0-9 - . _ ~` escaped. */
export function urlEncode(text: string): string {
  return percentEncode(text, isUnreserved);
}

/** What `%XX` in a path stands for. A `%` that escapes nothing stays, and bytes that are no UTF-8 become U+FFFD. */
export function urlDecode(text: string): string {
  if (text.indexOf('%') < 0) return text;
  const bytes = changetype<usize>(allocate(utf8LengthMax(text)));
  const end = utf8Write(text, bytes);
  let dst = bytes;
  for (let at = bytes; at < end; at++) {
    let code: i32 = load<u8>(at);
    if (code == 0x25 && end - at > 2) {
      const escaped = (hexDigit(load<u8>(at, 1)) << 4) | hexDigit(load<u8>(at, 2));
      if (escaped >= 0) {
        code = escaped;
        at += 2;
      }
    }
    store<u8>(dst++, code);
  }
  return utf8Decode(bytes, <i32>(dst - bytes));
}

/** The segments of a path that begins with `/`, as they came: `/` has one, which is empty. */
export function pathSegments(path: string): string[] {
  return path.substring(i32(path.startsWith('/'))).split('/');
}
