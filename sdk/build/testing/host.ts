import { createHash, createPublicKey, verify } from 'node:crypto';
import { decode, encode } from '@ipld/dag-cbor';

/** A request as tests write it; what is left out gets a plain value. */
export interface TestRequest {
  method?: string;
  path?: string;
  query?: string;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
  caller?: string;
  timeMs?: number;
  seed?: Uint8Array;
}

export interface TestOutcome {
  /** The message a handler gave up with, or the trap's. */
  error?: string;
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
  text: string;
  logs: { level: number; message: string }[];
  /** Head and body as written, for comparing whole outputs. */
  output: Uint8Array;
}

export interface TestHostOptions {
  /** Files by their binary CID, as hex. */
  files?: ReadonlyMap<string, Uint8Array>;
}

class HandlerFailed extends Error {}

/** The input of a task for this request: the map that the host ABI names. */
export function encodeRequest(request: TestRequest = {}): Uint8Array {
  const { body, seed, ...rest } = request;
  return encode({
    method: 'GET',
    path: '/',
    query: '',
    headers: {},
    caller: '12D3KooWTestCaller',
    timeMs: 1_700_000_000_000,
    ...rest,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? new TextEncoder().encode(body) : body }),
    seed: seed ?? new Uint8Array(32),
  });
}

/** The smallest host that can run a handler, for tests of the SDK alone: no metering, no threads, no limits. */
export function runBare(module: WebAssembly.Module, input: Uint8Array, options: TestHostOptions = {}): TestOutcome {
  const outcome: TestOutcome = {
    status: 0,
    headers: {},
    body: new Uint8Array(),
    text: '',
    logs: [],
    output: new Uint8Array(),
  };
  const chunks: Uint8Array[] = [];
  let instance: WebAssembly.Instance | undefined;
  let randomCount = 0;

  function view(at: number, length: number): Uint8Array {
    const memory = instance?.exports['memory'];
    if (!(memory instanceof WebAssembly.Memory)) throw new Error('no memory yet');
    if (at + length > memory.buffer.byteLength || length < 0) throw new RangeError('a pointer outside the memory');
    return new Uint8Array(memory.buffer, at >>> 0, length);
  }
  function fileAt(at: number, length: number): Uint8Array {
    const file = options.files?.get(Buffer.from(view(at, length)).toString('hex'));
    if (file === undefined) throw new Error('no such block');
    return file;
  }
  const { seed, timeMs } = taskOf(input);

  const host = {
    input_size: () => input.length,
    input_read(dst: number, offset: number, length: number) {
      const part = input.subarray(offset, offset + length);
      view(dst, part.length).set(part);
      return part.length;
    },
    output_write: (at: number, length: number) => void chunks.push(view(at, length).slice()),
    block_size: (at: number, length: number) => BigInt(fileAt(at, length).length),
    block_read(at: number, length: number, offset: bigint, dst: number, size: number) {
      const part = fileAt(at, length).subarray(Number(offset), Number(offset) + size);
      view(dst, part.length).set(part);
      return part.length;
    },
    log(level: number, at: number, length: number) {
      outcome.logs.push({ level, message: textOf(view(at, length)) });
    },
    fail(at: number, length: number) {
      throw new HandlerFailed(textOf(view(at, length)));
    },
    time_ms: () => timeMs,
    random(dst: number, length: number) {
      const out = view(dst, length);
      for (let at = 0; at < length; at += 32) {
        const block = createHash('sha256').update(seed).update(`${randomCount++}`).digest();
        out.set(block.subarray(0, Math.min(32, length - at)), at);
      }
    },
    sha256: (at: number, length: number, dst: number) =>
      view(dst, 32).set(createHash('sha256').update(view(at, length)).digest()),
    ed25519_verify(key: number, message: number, length: number, signature: number) {
      const x = Buffer.from(view(key, 32)).toString('base64url');
      const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      return Number(verify(null, view(message, length), publicKey, view(signature, 64)));
    },
  };
  try {
    instance = new WebAssembly.Instance(module, { workswap: host });
    const handle = instance.exports['handle'];
    if (typeof handle !== 'function') throw new Error('no handle');
    handle();
  } catch (error) {
    if (!(error instanceof HandlerFailed || error instanceof WebAssembly.RuntimeError)) throw error;
    outcome.error = error.message;
  }
  const [head, ...body] = chunks;
  if (head !== undefined) Object.assign(outcome, decode(head));
  outcome.body = Buffer.concat(body);
  outcome.text = textOf(outcome.body);
  outcome.output = Buffer.concat(chunks);
  return outcome;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The time and seed that stand in the input, or zeros where the input is garbage. */
function taskOf(input: Uint8Array): { seed: Uint8Array; timeMs: bigint } {
  try {
    const { seed, timeMs } = decode<{ seed: Uint8Array; timeMs: number }>(input);
    return { seed, timeMs: BigInt(timeMs) };
  } catch {
    return { seed: new Uint8Array(32), timeMs: 0n };
  }
}
