import { connect } from 'node:net';
import { CALL_SIGNATURES, IMPORT_MODULE } from '../../provider/sandbox/index.ts';
import { findWorkerd, startWorkerd } from '../workerd/process.ts';
import { DEPTH, rate } from './load.ts';

const REQUESTS = 5000;
const ROUNDS = 4;

/** Jobs per second of ours and theirs in turn; undefined when workerd is not here. */
export async function workerdRatios(
  ours: () => Promise<unknown>,
  wasm: Uint8Array,
  input: Uint8Array,
): Promise<{ ratios: number[]; rates: number[] } | undefined> {
  const binary = findWorkerd();
  if (binary === undefined) return undefined;
  const peer = await startWorkerd(binary, workerSource(input), wasm);
  const ratios: number[] = [];
  const rates: number[] = [];
  try {
    for (let i = 0; i < ROUNDS; i++) {
      const their = await requestRate(peer.port, REQUESTS);
      const our = await rate(ours);
      // The first round warms up.
      if (i === 0) continue;
      rates.push(their);
      ratios.push(our / their);
    }
  } finally {
    await peer.stop();
  }
  return { ratios, rates };
}

/** The handler as it is, unmetered, a new instance for every request, with the calls that it needs made in JavaScript. */
function workerSource(input: Uint8Array): string {
  return `import module from './handler.wasm';
const input = Uint8Array.from([${input.join(',')}]);
export default {
  fetch() {
    let memory;
    const written = [];
    let size = 0;
    const calls = {};
    for (const name of ${JSON.stringify([...CALL_SIGNATURES.keys()])}) calls[name] = () => { throw new Error(name); };
    calls.input_size = () => input.length;
    calls.input_read = (target, offset, length) => {
      const part = input.subarray(offset, offset + length);
      new Uint8Array(memory.buffer).set(part, target);
      return part.length;
    };
    calls.output_write = (pointer, length) => {
      written.push(new Uint8Array(memory.buffer, pointer, length).slice());
      if (written.length > 1) size += length;
    };
    const { exports } = new WebAssembly.Instance(module, { ${IMPORT_MODULE}: calls });
    memory = exports.memory;
    exports.handle();
    const body = new Uint8Array(size);
    let at = 0;
    for (const part of written.slice(1)) {
      body.set(part, at);
      at += part.length;
    }
    return new Response(body);
  },
};
`;
}

/** Requests per second over `DEPTH` connections, each with one request under way. Counts answers by their length: all are the same. */
async function requestRate(port: number, requests: number): Promise<number> {
  const length = await answerLength(port);
  let begun = 0;
  const line = async (): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let received = 0;
    const next = (): void => {
      if (begun >= requests) {
        socket.destroy();
        resolve();
        return;
      }
      begun += 1;
      socket.write(REQUEST);
    };
    socket.setNoDelay(true);
    socket.on('connect', next);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      received += chunk.length;
      if (received % length === 0) next();
    });
    await promise;
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: DEPTH }, line));
  return (begun / (performance.now() - started)) * 1000;
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

async function answerLength(port: number): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.write(REQUEST);
  let answer = '';
  for await (const chunk of socket) {
    answer += String(chunk);
    const head = answer.indexOf('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(answer)?.[1]);
    if (head >= 0 && answer.length >= head + 4 + length) break;
    if (head >= 0 && Number.isNaN(length)) throw new Error(`workerd answered without a length: ${answer}`);
  }
  socket.destroy();
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`workerd answered ${answer}`);
  return answer.length;
}
