import type { Fault } from '../../sdk/protocol/index.ts';
import type { RunResult } from '../workbench/index.ts';

/** How a job failed. A visitor gets none of it but a plain 500. */
export interface TestError {
  /** `HANDLER_FAILED` for a throw; docs/sandbox.md has them all. */
  code: string;
  /** What was thrown, with file, line and column. */
  message: string;
  fault: Fault;
  /** Where it was thrown, relative to the handler's directory, where the message says it. */
  file?: string;
  line?: number;
}

/** A message that a handler sent. */
export class SentMessage {
  /** A service's name, or a peer id. */
  readonly to: string;
  readonly bytes: Uint8Array;

  constructor(to: string, bytes: Uint8Array) {
    this.to = to;
    this.bytes = bytes;
  }

  text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  /** The body, which must be JSON. */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }
}

/** What a handler answered, and what that cost. */
export class TestResponse {
  /** 0 when the handler failed before it answered. */
  readonly status: number;
  /** By name, in lower case. Several cookies stand in `set-cookie`, with line breaks between them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  /** Units of fuel burnt: the same in every run of the same request. */
  readonly fuel: number;
  /** What a provider with the default tariff would charge, in bytes. */
  readonly priceBytes: number;
  /** Pages of 64 KiB. */
  readonly memoryPagesPeak: number;
  /** What the handler sends when the update is committed, in order; nothing when it failed. */
  readonly messages: readonly SentMessage[];
  /** What the handler logged, a line each. */
  readonly logs: readonly string[];
  readonly error: TestError | undefined;

  constructor({ outcome, priceBytes, place }: RunResult) {
    this.status = outcome.status;
    this.headers = outcome.headers;
    this.bytes = outcome.body.slice();
    this.fuel = outcome.fuel;
    this.priceBytes = priceBytes;
    this.memoryPagesPeak = outcome.memoryPagesPeak;
    this.messages = (outcome.messages ?? []).map(({ to, body }) => new SentMessage(to, body));
    this.logs = outcome.logs.map(({ message }) => message);
    const at = place === undefined ? {} : { file: place.file, line: place.line };
    this.error = outcome.error === undefined ? undefined : { ...outcome.error, ...at };
  }

  text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  /** The body, which must be JSON. */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }

  /** The cookies that the answer sets, by name, values decoded; their attributes are left out. */
  get cookies(): Record<string, string> {
    const cookies: Record<string, string> = {};
    for (const line of (this.headers['set-cookie'] ?? '').split('\n')) {
      const match = /^([^=;]+)=([^;]*)/.exec(line);
      if (match !== null) cookies[match[1]!] = decodeURIComponent(match[2]!);
    }
    return cookies;
  }
}
