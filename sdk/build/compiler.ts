import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CompileResult, CompileTask } from './compile.ts';

/** An unused compiler holds about 150 MB: let it go when nobody builds for so long. */
const IDLE_MS = 10_000;

const WORKER = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url);

let worker: Worker | undefined;
let idleTimer: NodeJS.Timeout | undefined;
let turn: Promise<unknown> = Promise.resolve();

/**
 * Compiles in the compiler's thread, one build after the other, since the compiler keeps state of its own. Rejects with
 * the signal's reason when it is aborted, and with what the compiler wrote when it crashed.
 */
export function compileInThread(task: CompileTask, signal?: AbortSignal): Promise<CompileResult> {
  const result = turn.then(() => run(task, signal));
  turn = result.catch(() => undefined);
  return result;
}

async function run(task: CompileTask, signal: AbortSignal | undefined): Promise<CompileResult> {
  signal?.throwIfAborted();
  clearTimeout(idleTimer);
  const thread = (worker ??= startWorker());
  const written: string[] = [];
  const collect = (chunk: Buffer): void => {
    written.push(chunk.toString());
  };
  thread.stderr.on('data', collect);
  thread.ref();
  const { promise, resolve, reject } = Promise.withResolvers<CompileResult>();
  const onAbort = (): void => {
    reject(signal?.reason);
  };
  const onExit = (code: number): void => {
    reject(new Error(`the compiler ended with exit code ${code}: ${written.join('').trim()}`));
  };
  thread.once('message', resolve);
  thread.once('error', reject);
  thread.once('exit', onExit);
  signal?.addEventListener('abort', onAbort);
  try {
    thread.postMessage(task);
    const result = await promise;
    idleTimer = setTimeout(() => void stop(thread), IDLE_MS);
    idleTimer.unref();
    return result;
  } catch (error) {
    await stop(thread);
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    thread.off('message', resolve);
    thread.off('error', reject);
    thread.off('exit', onExit);
    thread.stderr.off('data', collect);
    thread.unref();
  }
}

function startWorker(): Worker {
  // With `stdout: true` a stream that is read would keep the process alive for as long as the thread lives.
  const thread = new Worker(WORKER);
  for (const stream of [thread.stdout, thread.stderr]) {
    stream.unpipe();
    // It must flow, or what the compiler writes piles up.
    stream.resume();
  }
  return thread;
}

async function stop(thread: Worker): Promise<void> {
  if (worker === thread) worker = undefined;
  await thread.terminate();
}
