import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { createProvider } from '../../provider/provider.ts';
import { makePublication } from '../../provider/services/index.ts';
import { buildHandler } from '../../sdk/build/index.ts';
import { rawCid } from '../../sdk/protocol/index.ts';
import { value } from './scene.ts';

const SOURCE = fileURLToPath(new URL('./assembly/index.ts', import.meta.url));
const never = new AbortController().signal;

export interface Provided {
  /** An update of 1 KB, the whole way: task, handler, commit, signed receipt. */
  put(path: string): Promise<unknown>;
  close(): Promise<void>;
}

/** A provider on the disk that hosts the service, as its own gateway uses it. */
export async function openProvided(): Promise<Provided> {
  const { wasm } = await buildHandler(SOURCE);
  const dataDir = await mkdtemp(join(tmpdir(), 'bench-service-'));
  const provider = await createProvider({ dataDir, config: { node: { listen: ['/ip4/127.0.0.1/tcp/0'] } } });
  const handler = rawCid(wasm);
  await provider.blocks.put(handler, wasm);
  const endpoints = [{ peer: provider.peerId.toString(), addrs: provider.addrs }];
  const publication = await makePublication(await generateKeyPair('Ed25519'), { handler, endpoints }, 1);
  await provider.services.host(publication);
  const service = await provider.runner.resolve(publication.name, never);
  return {
    async put(path) {
      const request = { method: 'POST', path: `/${path}`, body: value() };
      const { status, receipt } = await provider.runner.run(service, request, never);
      if (status !== 200) throw new Error(`The handler answered ${status}`);
      return receipt();
    },
    async close() {
      await provider.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}
