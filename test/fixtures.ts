import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CID } from 'multiformats/cid';
import { buildHandler } from '../sdk/build/index.ts';
import { rawCid } from '../sdk/protocol/index.ts';
import { createConsumer } from '../provider/consumer.ts';
import type { Consumer } from '../provider/consumer.ts';
import { createProvider } from '../provider/provider.ts';
import type { Provider, ProviderOptions } from '../provider/provider.ts';

export const LISTEN = '/ip4/127.0.0.1/tcp/0';

/** A directory that goes away with the test. */
export async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'workswap-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

export async function provider(options: ProviderOptions = {}): Promise<Provider> {
  const started = await createProvider({ ...options, config: { ...options.config, node: { listen: [LISTEN] } } });
  onTestFinished(() => started.stop());
  return started;
}

export async function consumer(options: Parameters<typeof createConsumer>[0] = {}): Promise<Consumer> {
  const started = await createConsumer(options);
  onTestFinished(() => started.stop());
  return started;
}

export { buildModule as handler } from './build-module.ts';

/** A handler that misbehaves as its path says. */
const HOSTILE = `import { Cid, File, Request, Response } from 'workswap';

function deep(n: i32): i32 {
  return n <= 0 ? 0 : 1 + deep(n - 1) * (n & 1);
}

export function handle(req: Request): Response {
  const path = req.path;
  if (path == '/loop') {
    const reads = Cid.parse(req.query.get('reads'));
    if (reads !== null && new File(reads).size < 0) unreachable();
    // No loop that counts: one that counts past its end is out of fuel before it begins.
    let i: u64 = 1;
    while (i != 0) i = (i * 3) | 1;
    return Response.text('after ' + i.toString());
  }
  if (path == '/spin') {
    let sum: u64 = 0;
    for (let i: u64 = 0; i < 20000000; i++) sum = (sum ^ i) * 31;
    return Response.text(sum.toString());
  }
  if (path == '/memory') {
    const all = new Array<ArrayBuffer>();
    while (true) all.push(new ArrayBuffer(1 << 20));
  }
  if (path == '/trap') unreachable();
  if (path == '/throw') throw new Error('as the author wrote it');
  if (path == '/deep') return Response.text(deep(100000000).toString());
  if (path == '/big') {
    return Response.bytes(new Uint8Array(8 << 20), 'application/octet-stream');
  }
  return Response.text('fine');
}
`;

let hostileModule: Promise<Uint8Array> | undefined;

export function hostile(): Promise<Uint8Array> {
  hostileModule ??= (async () => {
    const path = await mkdtemp(join(tmpdir(), 'workswap-hostile-'));
    await writeFile(join(path, 'hostile.ts'), HOSTILE);
    try {
      return (await buildHandler(join(path, 'hostile.ts'))).wasm;
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  })();
  return hostileModule;
}

export async function offer(node: { blocks: Consumer['blocks'] }, bytes: Uint8Array): Promise<CID> {
  const cid = rawCid(bytes);
  await node.blocks.put(cid, bytes);
  return cid;
}
