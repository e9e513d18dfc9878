import { parentPort } from 'node:worker_threads';
import { type CompileTask, compile } from './compile.ts';

/**
 * The compiler lives in a thread of its own: a build takes a second of pure computing, and when the compiler crashes it
 * calls `process.exit`, which here ends this thread and nothing else.
 */
parentPort?.on('message', async (task: CompileTask) => {
  parentPort?.postMessage(await compile(task));
});
