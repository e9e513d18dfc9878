import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { targetOf } from './page.ts';

/**
 * The load: one process of its own, the same for every contender, with `CONNECTIONS` connections that are kept and one
 * request under way on each. It writes bytes and reads just enough of an answer to know that it is a whole 200 of the right
 * length, so it takes a fraction of what an answer costs any server here; `busy` says how much of a core it took, and as
 * long as that is below 1 the server was what was measured.
 */
export const CONNECTIONS = 64;
const ANSWER_BYTES_MAX = 16 * 1024;

export interface Target {
  port: number;
  /** The Host header. */
  host: string;
  bodyBytes: number;
}

export interface Measured {
  perSecond: number;
  /** CPU time of the load generator by the time that passed. */
  busy: number;
}

export interface Load {
  run(target: Target, ms: number): Promise<Measured>;
  stop(): void;
}

export function startLoad(): Load {
  const child = fork(fileURLToPath(import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  return {
    async run(target, ms) {
      child.send({ ...target, ms });
      const [measured] = (await once(child, 'message')) as [Measured];
      return measured;
    },
    stop: () => child.disconnect(),
  };
}

let asked = 0;

async function measure({ ms, ...target }: Target & { ms: number }): Promise<Measured> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const before = asked;
  await Promise.all(Array.from({ length: CONNECTIONS }, () => askUntil(target, startedMs + ms)));
  const elapsedMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: ((asked - before) / elapsedMs) * 1000, busy: (user + system) / 1000 / elapsedMs };
}

function askUntil({ port, host, bodyBytes }: Target, untilMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const answer = Buffer.allocUnsafe(ANSWER_BYTES_MAX);
  const headers = `host: ${host}\r\nuser-agent: workswap-bench\r\naccept: text/html\r\n\r\n`;
  let length = 0;
  const ask = (): void => {
    if (performance.now() > untilMs) {
      resolve();
      socket.destroy();
      return;
    }
    length = 0;
    socket.write(`GET ${targetOf(asked++)} HTTP/1.1\r\n${headers}`, 'latin1');
  };
  const read = (bytes: number, from: Uint8Array): boolean => {
    answer.set(from.subarray(0, bytes), length);
    length += bytes;
    const headBytes = answer.subarray(0, length).indexOf('\r\n\r\n') + 4;
    if (headBytes < 4) return true;
    const head = answer.toString('latin1', 0, headBytes);
    const declared = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1]);
    if (!head.startsWith('HTTP/1.1 200 ') || declared !== bodyBytes || length > headBytes + bodyBytes) {
      reject(new Error(`${host} answered ${answer.toString('latin1', 0, length)}`));
      socket.destroy();
    } else if (length === headBytes + bodyBytes) ask();
    return true;
  };
  const onread = { buffer: Buffer.allocUnsafe(ANSWER_BYTES_MAX), callback: read };
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread }, ask);
  socket.on('error', reject);
  socket.on('close', () => reject(new Error(`${host} closed a connection in the middle`)));
  return promise;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('message', (order: Target & { ms: number }) => {
    measure(order).then((measured) => process.send!(measured), fail);
  });
  process.on('disconnect', () => process.exit(0));
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}
