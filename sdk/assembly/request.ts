import { allocate } from './bytes';
import {
  MAJOR_BYTES,
  MAJOR_MAP,
  MAJOR_TEXT,
  cborArgument,
  cborAt,
  cborBad,
  cborFault,
  cborHead,
  cborOpen,
  cborSkip,
  cborString,
} from './cbor';
import { Cookies } from './cookies';
import { Headers } from './headers';
import { hostRandom, inputRead, inputSize, timeMs } from './host';
import { Query } from './query';
import { pathSegments, urlDecode } from './url';
import { utf8Decode } from './utf8';

// The keys of the input, their bytes read as one little-endian number: compared in one step, and without a string each.
const BODY: u64 = 0x79646f62;
const PATH: u64 = 0x68746170;
const QUERY: u64 = 0x7972657571;
const CALLER: u64 = 0x72656c6c6163;
const METHOD: u64 = 0x646f6874656d;
const HEADERS: u64 = 0x73726564616568;

/**
 * What the caller asked for. Nothing is decoded before a handler looks at it, and then it is looked up in the input
 * itself: the map is short, and in canonical order all other items stand before the headers.
 */
export class Request {
  private constructor(
    private input: ArrayBuffer,
    private end: usize,
  ) {}

  /** Reads the task's input from the host; null when it is not the map that a request is. */
  static read(): Request | null {
    const length = inputSize();
    // Keys are compared eight bytes at a time, so there must be as many behind the last.
    const input = allocate(length + 8);
    const start = changetype<usize>(input);
    const request = new Request(input, start + inputRead(start, 0, length));
    return request.find(0) ? request : null;
  }

  /** `GET`, `POST` and so on. */
  get method(): string {
    return this.textOf(METHOD);
  }

  /** The path as it came, percent-encoded, beginning with `/`. */
  get path(): string {
    return this.textOf(PATH);
  }

  /** The parts of the path between its slashes, decoded; `/` has one, which is empty. */
  get segments(): string[] {
    const segments = pathSegments(this.path);
    for (let i = 0; i < segments.length; i++) segments[i] = urlDecode(segments[i]);
    return segments;
  }

  /** The parameters behind the `?`. */
  get query(): Query {
    this.find(QUERY);
    return new Query(this.input, cborString(MAJOR_TEXT), cborAt);
  }

  get headers(): Headers {
    this.find(HEADERS);
    return new Headers(this.input, cborAt, this.end);
  }

  /** The cookies that came along. */
  get cookies(): Cookies {
    return new Cookies(this.headers.get('cookie'));
  }

  /** The peer id of whoever asks; the provider has checked it. */
  get caller(): string {
    return this.textOf(CALLER);
  }

  /** The body's bytes: a view on the input, not a copy. Empty when there is none. */
  get body(): Uint8Array {
    this.find(BODY);
    const start = cborString(MAJOR_BYTES);
    return Uint8Array.wrap(this.input, <i32>(start - changetype<usize>(this.input)), cborArgument);
  }

  /** The body as text. */
  get text(): string {
    this.find(BODY);
    return utf8Decode(cborString(MAJOR_BYTES), cborArgument);
  }

  /** The body as a submitted form (`application/x-www-form-urlencoded`). */
  get form(): Query {
    this.find(BODY);
    return new Query(this.input, cborString(MAJOR_BYTES), cborAt);
  }

  /** The task's time in milliseconds since 1970: part of the task, so the same in every run of it. */
  get timeMs(): i64 {
    return timeMs();
  }

  /** The next `length` bytes of the task's random stream: the same in every run of the task. */
  random(length: i32): Uint8Array {
    const bytes = new Uint8Array(length);
    hostRandom(bytes.dataStart, length);
    return bytes;
  }

  private textOf(key: u64): string {
    this.find(key);
    return utf8Decode(cborString(MAJOR_TEXT), cborArgument);
  }

  /** Puts the cursor on the value of `key`, or at the end without one; false if the input is not a whole map. */
  private find(key: u64): bool {
    cborOpen(changetype<usize>(this.input), this.end);
    if (cborHead() != MAJOR_MAP) return false;
    for (let left = cborArgument; left > 0 && !cborBad; left--) {
      const name = load<u64>(cborString(MAJOR_TEXT));
      const unused = 64 - (cborArgument << 3);
      if (unused > 0 && unused < 64 && (name << unused) >> unused == key) return true;
      cborSkip();
    }
    const whole = !cborBad;
    cborFault();
    return whole;
  }
}
