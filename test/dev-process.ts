import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const WORKSWAP = fileURLToPath(new URL('../provider/cli/workswap.js', import.meta.url));

type Event = Record<string, unknown>;

export interface DevProcess {
  url: string;
  /** Resolves with the next event of this name, also one that has come already and was not waited for. */
  event(name: string): Promise<Event>;
  /** Ctrl-C; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts `workswap dev` as an author does, on a free port. */
export async function startDevProcess(project: string): Promise<DevProcess> {
  const child = spawn(process.execPath, [WORKSWAP, 'dev', project, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const events: Event[] = [];
  const waiting: { name: string; resolve: (event: Event) => void; reject: (error: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as Event;
    const at = waiting.findIndex(({ name }) => name === event['event']);
    if (at >= 0) waiting.splice(at, 1)[0]!.resolve(event);
    else events.push(event);
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      for (const { name, reject } of waiting) reject(new Error(`dev ended (${code}) before "${name}": ${stderr}`));
      resolve(code);
    });
  });
  const event = (name: string): Promise<Event> => {
    const at = events.findIndex((one) => one['event'] === name);
    if (at >= 0) return Promise.resolve(events.splice(at, 1)[0]!);
    return new Promise((resolve, reject) => waiting.push({ name, resolve, reject }));
  };
  const ready = await event('ready');
  return {
    url: ready['url'] as string,
    event,
    async stop() {
      child.kill('SIGINT');
      return ended;
    },
  };
}

/** A request with a path and a host that `fetch` would not send. */
export function rawGet(url: string, path: string, host?: string): Promise<{ status: number; text: string }> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers: { host: host ?? `localhost:${port}` } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
    })
      .on('error', reject)
      .end();
  });
}
