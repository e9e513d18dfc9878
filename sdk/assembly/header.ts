import { MAJOR_TEXT, cborArgument, cborOpen, cborString, cborWriteHead } from './cbor';
import { utf8Decode, utf8LengthMax, utf8Write } from './utf8';

/** One header of a response, kept as it will be written: its name, then its value, as two DAG-CBOR texts. */
export class Header {
  next: Header | null = null;

  constructor(
    public at: usize,
    public nameLength: i32,
    public length: i32,
  ) {}

  /** A header as an author writes it. Its name is sent in lower case, so that one name is written in one way only. */
  static encode(name: string, value: string): Header {
    checkName(name);
    checkValue(value);
    return Header.encodeChecked(name, value);
  }

  /** The same for what cannot be wrong. */
  static encodeChecked(name: string, value: string): Header {
    const at = heap.alloc(utf8LengthMax(name) + utf8LengthMax(value) + 10);
    const nameEnd = writeText(name, at);
    for (let i = nameEnd - name.length; i < nameEnd; i++) {
      const code = load<u8>(i);
      if (code >= 0x41 && code <= 0x5a) store<u8>(i, code | 0x20);
    }
    return new Header(at, <i32>(nameEnd - at), <i32>(writeText(value, nameEnd) - at));
  }

  /** This header with another's value behind its own, a line break between them: no value has one in itself. */
  join(other: Header): Header {
    const name = utf8Decode(this.at + 1, this.nameLength - 1);
    return Header.encodeChecked(name, this.value + '\n' + other.value);
  }

  private get value(): string {
    cborOpen(this.at + this.nameLength, this.at + this.length);
    return utf8Decode(cborString(MAJOR_TEXT), cborArgument);
  }

  /** The place of the name in the map: below zero before `other`, 0 when it is the same name. */
  compare(other: Header): i32 {
    // The canonical order, the shorter name first and then by bytes, is the order of the encoded bytes.
    const length = this.nameLength;
    for (let i = 0; i < length; i++) {
      const difference = <i32>load<u8>(this.at + i) - <i32>load<u8>(other.at + i);
      if (difference != 0) return difference;
    }
    return 0;
  }
}

/** The text's length must stand before the text: write behind room for the longest head, then close the gap. */
function writeText(text: string, dst: usize): usize {
  const length = <i32>(utf8Write(text, dst + 5) - dst - 5);
  const start = cborWriteHead(MAJOR_TEXT, length, dst);
  memory.copy(start, dst + 5, length);
  return start + length;
}

/** Header names are tokens (RFC 9110): printable ASCII without separators. */
export function checkName(name: string): void {
  if (name.length == 0) throw new Error('an empty header name');
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || '"(),/:;<=>?@[\\]{}'.indexOf(name.charAt(i)) >= 0) {
      throw new Error('not a header name: ' + name);
    }
  }
}

/** A value with a line break in it would let whoever chose it add headers of their own. */
export function checkValue(value: string): void {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 0x20 && code != 0x09) || code == 0x7f) throw new Error('a header value with a control character');
  }
}
