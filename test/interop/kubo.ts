import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildGo } from './go-program.ts';

/** The module's main package of Kubo; `kubo/go.mod` names its version. */
export function buildKubo(): Promise<string> {
  return buildGo('kubo', 'github.com/ipfs/kubo/cmd/ipfs');
}

interface Output {
  code: number | null;
  out: Buffer;
  error: string;
}

/** A Kubo daemon with a repository of its own, without bootstrap peers, discovery and routing. Driven as by a user. */
export class Kubo {
  readonly #program: string;
  readonly #directory: string;
  readonly #daemon: ChildProcess;
  readonly #env: NodeJS.ProcessEnv;
  peerId = '';
  addr = '';

  private constructor(program: string, directory: string, env: NodeJS.ProcessEnv) {
    this.#program = program;
    this.#directory = directory;
    this.#env = env;
    this.#daemon = spawn(program, ['daemon', '--routing=none'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  }

  static async start(profiles = 'test'): Promise<Kubo> {
    const program = await buildKubo();
    const directory = await mkdtemp(join(tmpdir(), 'workswap-kubo-'));
    const env = { ...process.env, IPFS_PATH: directory, IPFS_TELEMETRY: 'off' };
    await runProgram(program, ['init', `--profile=${profiles}`], env);
    const kubo = new Kubo(program, directory, env);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    kubo.#daemon.on('exit', (code) => reject(new Error(`Kubo ended (${code})`)));
    createInterface({ input: kubo.#daemon.stdout! }).on('line', (line) => {
      if (line.includes('Daemon is ready')) resolve();
    });
    await promise;
    const id = JSON.parse((await kubo.run('id')).toString()) as { ID: string; Addresses: string[] };
    kubo.peerId = id.ID;
    kubo.addr = id.Addresses.find((address) => address.includes('/ip4/127.0.0.1/tcp/')) as string;
    return kubo;
  }

  /** `ipfs ...args`; returns what it printed. */
  async run(...args: string[]): Promise<Buffer> {
    const { code, out, error } = await runProgram(this.#program, args, this.#env);
    if (code !== 0) throw new Error(`ipfs ${args.join(' ')}: ${error}`);
    return out;
  }

  /** The same with an input, or with a signal that ends the command. */
  async runWith(options: { input?: Uint8Array; signal?: AbortSignal }, ...args: string[]): Promise<Output> {
    return runProgram(this.#program, args, this.#env, options);
  }

  /** Adds a file and returns its CID. */
  async add(content: Uint8Array, ...args: string[]): Promise<string> {
    const { out } = await this.runWith({ input: content }, 'add', '--quieter', ...args);
    return out.toString().trim();
  }

  async ledger(peer: string): Promise<{ sent: number; recv: number }> {
    const receipt = JSON.parse((await this.run('bitswap', 'ledger', '--enc=json', peer)).toString());
    return { sent: receipt.Sent, recv: receipt.Recv };
  }

  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#daemon.on('exit', () => resolve());
    this.#daemon.kill('SIGTERM');
    await promise;
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function runProgram(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  { input, signal }: { input?: Uint8Array; signal?: AbortSignal } = {},
): Promise<Output> {
  const child = spawn(program, args, { env, stdio: 'pipe' });
  signal?.addEventListener('abort', () => child.kill('SIGINT'));
  child.stdin.end(input);
  const parts: Buffer[] = [];
  let error = '';
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  child.stderr.on('data', (part: Buffer) => (error += part.toString()));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  const code = await promise;
  return { code, out: Buffer.concat(parts), error };
}
