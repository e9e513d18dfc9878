import { allocate } from './bytes';
import { MAJOR_MAP, cborWriteHead } from './cbor';
import { htmlType, jsonType, textType } from './content-types';
import { Header, checkName, checkValue } from './header';
import { Html } from './html';
import { outputWrite } from './host';
import { percentEncode } from './url';
import { utf8LengthMax, utf8Write } from './utf8';

// The fixed parts of a head happen to fill eight bytes each: a map of two with its first key, and its second key.
const MAP_OF_TWO_STATUS: u64 = 0x737574617473_66a2;
const HEADERS: u64 = 0x73726564616568_67;

class Chunk {
  next: Chunk | null = null;

  constructor(
    public buffer: ArrayBuffer,
    public at: usize,
    public length: i32,
  ) {}
}

/** There is one response to a job, so one head: whatever is sent after it is body. */
let headSent: bool = false;

/** Whether the answer to a HEAD request is on its way: the body is made but not sent. */
let headOnly: bool = false;

export function sendHeadOnly(): void {
  headOnly = true;
}

/** What may stand in a cookie's value as it is (RFC 6265): no separators, and no `%`, which begins an escape. */
function isCookieOctet(code: i32): bool {
  return code > 0x20 && code < 0x7f && code != 0x22 && code != 0x25 && code != 0x2c && code != 0x3b && code != 0x5c;
}

/** What the caller gets back. */
export class Response {
  private firstChunk: Chunk | null = null;
  private lastChunk: Chunk | null = null;

  constructor(
    public status: i32 = 200,
    private firstHeader: Header | null = null,
  ) {}

  static text(body: string, status: i32 = 200): Response {
    return new Response(status, textType()).write(body);
  }

  static html(body: string, status: i32 = 200): Response {
    return new Response(status, htmlType()).write(body);
  }

  /** A page, or a piece of one, put together with `Html`. */
  static page(html: Html, status: i32 = 200): Response {
    return new Response(status, htmlType()).writeHtml(html);
  }

  static notFound(body: string = 'not found\n'): Response {
    return Response.text(body, 404);
  }

  /** `body` is JSON already; `JsonWriter` writes it. */
  static json(body: string, status: i32 = 200): Response {
    return new Response(status, jsonType()).write(body);
  }

  static bytes(body: Uint8Array, type: string = 'application/octet-stream', status: i32 = 200): Response {
    return new Response(status).header('content-type', type).writeBytes(body);
  }

  /** Sends the visitor elsewhere; 303 makes a browser continue with GET after a form. */
  static redirect(location: string, status: i32 = 303): Response {
    return new Response(status).header('location', location);
  }

  /** Sets a header; one already set by this name is replaced. */
  header(name: string, value: string): Response {
    return this.place(Header.encode(name, value));
  }

  /**
   * Sets a cookie; several may be set. The value may be any text: it travels percent-encoded, and `Request.cookies` decodes
   * it. `Max-Age=0` in the attributes removes a cookie.
   */
  cookie(name: string, value: string, attributes: string = 'Path=/; HttpOnly; SameSite=Lax'): Response {
    checkName(name);
    checkValue(attributes);
    const cookie = name + '=' + percentEncode(value, isCookieOctet);
    const header = Header.encodeChecked('set-cookie', attributes.length > 0 ? cookie + '; ' + attributes : cookie);
    let other = this.firstHeader;
    while (other !== null) {
      if (other.compare(header) == 0) return this.place(other.join(header));
      other = other.next;
    }
    return this.place(header);
  }

  /** Puts a header where it belongs, or in the place of one with its name. */
  private place(header: Header): Response {
    let before: Header | null = null;
    let after = this.firstHeader;
    let order = 1;
    while (after !== null && (order = after.compare(header)) < 0) {
      before = after;
      after = after.next;
    }
    header.next = after !== null && order == 0 ? after.next : after;
    if (before === null) this.firstHeader = header;
    else before.next = header;
    return this;
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

  /** Appends HTML to the body, as it is at this moment. */
  writeHtml(html: Html): Response {
    const buffer = html.buffer;
    return this.append(new Chunk(buffer.bytes, changetype<usize>(buffer.bytes), buffer.length));
  }

  /**
   * Sends what there is so far and lets go of it, so that a long answer needs little memory: bytes that were written may
   * be used for something else afterwards. The status and the headers are settled with the first call.
   */
  flush(): Response {
    if (!headSent) this.sendHead();
    headSent = true;
    let chunk = this.firstChunk;
    while (chunk !== null) {
      if (!headOnly) outputWrite(chunk.at, chunk.length);
      chunk = chunk.next;
    }
    this.firstChunk = null;
    this.lastChunk = null;
    return this;
  }

  private sendHead(): void {
    let size = 32;
    let count = 0;
    let header = this.firstHeader;
    while (header !== null) {
      size += header.length;
      count++;
      header = header.next;
    }
    const head = heap.alloc(size);
    store<u64>(head, MAP_OF_TWO_STATUS);
    let end = cborWriteHead(0, this.status, head + 8);
    store<u64>(end, HEADERS);
    end = cborWriteHead(MAJOR_MAP, count, end + 8);
    header = this.firstHeader;
    while (header !== null) {
      memory.copy(end, header.at, header.length);
      end += header.length;
      header = header.next;
    }
    outputWrite(head, <i32>(end - head));
  }

  private append(chunk: Chunk): Response {
    const last = this.lastChunk;
    if (last === null) this.firstChunk = chunk;
    else last.next = chunk;
    this.lastChunk = chunk;
    return this;
  }
}
