import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const WORKSWAP = fileURLToPath(new URL('../provider/cli/workswap.js', import.meta.url));

/** A process that prints one JSON event a line. */
export interface EventProcess {
  child: ChildProcess;
  /** Resolves with the first event of this name that has not been waited for yet. */
  event(name: string): Promise<Record<string, unknown>>;
  /** A signal, then waits for the end; resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  kill(): Promise<void>;
}

/** A command that goes on until it is stopped. */
export interface ServerProcess extends EventProcess {
  /** The first event, when it serves. */
  ready: Record<string, unknown>;
  /** `http://HOST:PORT` of its gateway, when it has one. */
  gateway: string | undefined;
  /** Of its admin page, with the token that opens it, likewise. */
  admin: string | undefined;
}

export interface ProviderProcess extends ServerProcess {
  peerId: string;
  addrs: string[];
}

/** Whether this machine lets us mount a small disk that nobody else sees. */
export function canMount(): boolean {
  return spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0;
}

/** Starts `workswap provider` as a user does, on a free loopback port. */
export async function startProvider(options: {
  data: string;
  config?: string;
  args?: string[];
  /** Runs it with the data directory on a disk of its own, which is this large. Needs `canMount()`. */
  diskBytes?: number;
}): Promise<ProviderProcess> {
  const config = options.config === undefined ? [] : ['--config', options.config];
  const args = [
    'provider',
    '--json',
    '--data',
    options.data,
    '--listen',
    '/ip4/127.0.0.1/tcp/0',
    ...config,
    ...(options.args ?? []),
  ];
  const mount = `mount -t tmpfs -o size=${options.diskBytes} none "$0" && exec "$@"`;
  const disk = options.diskBytes === undefined ? [] : ['unshare', '--mount', 'sh', '-c', mount, options.data];
  const server = await startServer(args, disk);
  return { ...server, peerId: server.ready['peerId'] as string, addrs: server.ready['addrs'] as string[] };
}

/** Starts a `workswap` command with `--json` that says when it is ready. */
export async function startServer(args: string[], around: string[] = []): Promise<ServerProcess> {
  const started = startProcess([...around, process.execPath, WORKSWAP, ...args], `workswap ${args[0]}`);
  const ready = await started.event('ready');
  return {
    ...started,
    ready,
    gateway: ready['gateway'] as string | undefined,
    admin: ready['admin'] as string | undefined,
  };
}

/** @param name what errors call it; @param stdin whether we write to it */
export function startProcess(command: string[], name: string, stdin: 'ignore' | 'pipe' = 'ignore'): EventProcess {
  const child = spawn(command[0]!, command.slice(1), { stdio: [stdin, 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-10_000);
  });
  const events: Record<string, unknown>[] = [];
  const waiting: { name: string; resolve: (event: Record<string, unknown>) => void; reject: (error: Error) => void }[] =
    [];
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const event = JSON.parse(line) as Record<string, unknown>;
    const at = waiting.findIndex(({ name }) => name === event['event']);
    if (at >= 0) waiting.splice(at, 1)[0]!.resolve(event);
    else events.push(event);
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on('exit', (code) => {
      for (const { name: awaited, reject } of waiting)
        reject(new Error(`${name} ended (${code}) before "${awaited}": ${stderr}`));
      resolve(code);
    });
  });
  const event = (awaited: string): Promise<Record<string, unknown>> => {
    const at = events.findIndex((one) => one['event'] === awaited);
    if (at >= 0) return Promise.resolve(events.splice(at, 1)[0]!);
    if (child.exitCode !== null) return Promise.reject(new Error(`${name} has ended: ${stderr}`));
    return new Promise((resolve, reject) => waiting.push({ name: awaited, resolve, reject }));
  };
  return {
    child,
    event,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export interface CommandResult {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

/** Runs one `workswap` command to its end. */
export async function workswap(
  args: string[],
  options: { env?: Record<string, string>; inDiskOf?: ProviderProcess } = {},
): Promise<CommandResult> {
  const command = [process.execPath, WORKSWAP, ...args];
  if (options.inDiskOf !== undefined) {
    command.unshift('nsenter', '--mount', '--target', String(options.inDiskOf.child.pid));
  }
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}
