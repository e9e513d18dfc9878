import { allocate } from './bytes';
import { cborWriteHead, MAJOR_MAP, MAJOR_TEXT } from './cbor';
import { outputWrite } from './host';
import { utf8LengthMax, utf8Write } from './utf8';

// The fixed parts of a head happen to fill eight bytes each: a map of two with its first key, and its second key.
const MAP_OF_TWO_STATUS: u64 = 0x7375746174_7366a2;
const HEADERS: u64 = 0x73726564616568_67;

class Header {
  constructor(
    public name: string,
    public value: string,
    public next: Header | null,
  ) {}
}

class Chunk {
  next: Chunk | null = null;

  constructor(
    public buffer: ArrayBuffer,
    public at: usize,
    public length: i32,
  ) {}
}

/** Below zero when `a` stands before `b` in a DAG-CBOR map: the shorter first, then by their bytes. */
function compareKeys(a: string, b: string): i32 {
  let difference = a.length - b.length;
  for (let i = 0; difference == 0 && i < a.length; i++) difference = a.charCodeAt(i) - b.charCodeAt(i);
  return difference;
}

/** Header names are lower-case tokens (RFC 9110), so that one name is written in one way only. */
function checkName(name: string): string {
  let isLower = true;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    // The printable ASCII characters except space, separators and quotes.
    if (code <= 0x20 || code >= 0x7f || '"(),/:;<=>?@[\\]{}'.indexOf(name.charAt(i)) >= 0) {
      throw new Error('not a header name: ' + name);
    }
    if (code >= 0x41 && code <= 0x5a) isLower = false;
  }
  if (name.length == 0) throw new Error('an empty header name');
  return isLower ? name : name.toLowerCase();
}

/** A value with a line break in it would let whoever chose it add headers of their own. */
function checkValue(value: string): void {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 0x20 && code != 0x09) || code == 0x7f) throw new Error('a header value with a control character');
  }
}

/** What the caller gets back. */
export class Response {
  private firstHeader: Header | null = null;
  private firstChunk: Chunk | null = null;
  private lastChunk: Chunk | null = null;

  constructor(public status: i32 = 200) {}

  static text(body: string, status: i32 = 200): Response {
    return Response.of(body, 'text/plain; charset=utf-8', status);
  }

  static html(body: string, status: i32 = 200): Response {
    return Response.of(body, 'text/html; charset=utf-8', status);
  }

  /** `body` is JSON already; `quoteJson` helps to write it. */
  static json(body: string, status: i32 = 200): Response {
    return Response.of(body, 'application/json', status);
  }

  static bytes(body: Uint8Array, type: string = 'application/octet-stream', status: i32 = 200): Response {
    return new Response(status).set('content-type', type).writeBytes(body);
  }

  /** Sends the visitor elsewhere; 303 makes a browser continue with GET after a form. */
  static redirect(location: string, status: i32 = 303): Response {
    return new Response(status).header('location', location);
  }

  private static of(body: string, type: string, status: i32): Response {
    return new Response(status).set('content-type', type).write(body);
  }

  /** Sets a header; one already set by this name is replaced. */
  header(name: string, value: string): Response {
    checkValue(value);
    return this.set(checkName(name), value);
  }

  /** Appends text to the body. */
  write(text: string): Response {
    const buffer = allocate(utf8LengthMax(text));
    const at = changetype<usize>(buffer);
    return this.append(new Chunk(buffer, at, <i32>(utf8Write(text, at) - at)));
  }

  /** Appends bytes to the body. They are not copied: do not change them afterwards. */
  writeBytes(bytes: Uint8Array): Response {
    return this.append(new Chunk(bytes.buffer, bytes.dataStart, bytes.byteLength));
  }

  /** Hands everything to the host: the head in one piece, then the body. */
  send(): void {
    let sizeMax = 32;
    let count = 0;
    let header = this.firstHeader;
    while (header !== null) {
      sizeMax += utf8LengthMax(header.name) + utf8LengthMax(header.value) + 10;
      count++;
      header = header.next;
    }
    const head = heap.alloc(sizeMax);
    store<u64>(head, MAP_OF_TWO_STATUS);
    let end = cborWriteHead(0, this.status, head + 8);
    store<u64>(end, HEADERS);
    end = cborWriteHead(MAJOR_MAP, count, end + 8);
    header = this.firstHeader;
    while (header !== null) {
      end = writeText(header.name, end);
      end = writeText(header.value, end);
      header = header.next;
    }
    outputWrite(head, <i32>(end - head));
    let chunk = this.firstChunk;
    while (chunk !== null) {
      outputWrite(chunk.at, chunk.length);
      chunk = chunk.next;
    }
  }

  private set(name: string, value: string): Response {
    let before: Header | null = null;
    let after = this.firstHeader;
    let order = 1;
    while (after !== null && (order = compareKeys(after.name, name)) < 0) {
      before = after;
      after = after.next;
    }
    if (after !== null && order == 0) {
      after.value = value;
    } else {
      const header = new Header(name, value, after);
      if (before === null) this.firstHeader = header;
      else before.next = header;
    }
    return this;
  }

  private append(chunk: Chunk): Response {
    const last = this.lastChunk;
    if (last === null) this.firstChunk = chunk;
    else last.next = chunk;
    this.lastChunk = chunk;
    return this;
  }
}

/** The text's length must stand before the text: write behind room for the longest head, then close the gap. */
function writeText(text: string, dst: usize): usize {
  const length = <i32>(utf8Write(text, dst + 5) - dst - 5);
  const start = cborWriteHead(MAJOR_TEXT, length, dst);
  memory.copy(start, dst + 5, length);
  return start + length;
}
