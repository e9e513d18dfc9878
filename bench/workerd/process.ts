import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Figure } from '../types.ts';

export interface Workerd {
  port: number;
  stop(): Promise<void>;
}

/** Where npm has put the binary, or what WORKERD names; undefined when this platform has none. */
export function findWorkerd(): string | undefined {
  if (process.env['WORKERD'] !== undefined) return process.env['WORKERD'];
  try {
    return createRequire(import.meta.url).resolve('@cloudflare/workerd-linux-64/bin/workerd');
  } catch {
    return undefined;
  }
}

/** In place of a ratio to workerd. */
export const NO_WORKERD: Figure = {
  name: 'versusWorkerd',
  value: null,
  unit: 'ratio',
  better: 'higher',
  note: 'there is no workerd for this platform',
};

/** Runs one ES module as a worker on a free port of loopback; it can import `./handler.wasm` when there is one. */
export async function startWorkerd(binary: string, worker: string, wasm?: Uint8Array): Promise<Workerd> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-workerd-'));
  await writeFile(join(directory, 'worker.js'), worker);
  if (wasm !== undefined) await writeFile(join(directory, 'handler.wasm'), wasm);
  await writeFile(join(directory, 'config.capnp'), config(wasm !== undefined));
  const child = spawn(binary, ['serve', '--control-fd=3', join(directory, 'config.capnp')], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const [line] = (await once(child.stdio[3] as Readable, 'data')) as [Buffer];
  const { port } = JSON.parse(line.toString()) as { port: number };
  return {
    port,
    stop: async () => {
      child.kill();
      await once(child, 'exit');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function config(hasWasm: boolean): string {
  const wasm = hasWasm ? ', (name = "handler.wasm", wasm = embed "handler.wasm")' : '';
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "handler", worker = .handler)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "handler")],
);
const handler :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")${wasm}],
  compatibilityDate = "2025-01-01",
);
`;
}
