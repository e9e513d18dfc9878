import { fileURLToPath } from 'node:url';

/** The file to give to piscina, with the URL of the module that the threads run as `workerData.entry`. */
export const WORKER_START_FILE = fileURLToPath(new URL('./worker-start.cjs', import.meta.url));

/**
 * The environment of worker threads: nothing of the process's own, which may hold secrets, and in a checkout a place for
 * Node to keep what it made of the TypeScript files. Without it every worker strips types anew, and takes three times as
 * long to start. The place is inside the checkout, since whoever can write there could write the sources as well.
 */
export function workerEnv(): Record<string, string> {
  if (!import.meta.url.endsWith('.ts')) return {};
  const cache = fileURLToPath(new URL('../../node_modules/.cache/workswap', import.meta.url));
  return { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? cache };
}
