import { normalizeRequest } from '../sdk/client/index.ts';
import type { CallRequest } from '../sdk/client/index.ts';
import { encodeInput, rawCid } from '../sdk/protocol/index.ts';
import { openLocalEngine } from '../provider/local-engine.ts';
import type { Outcome } from '../provider/sandbox/index.ts';
import { buildModule } from './build-module.ts';

/** Builds one of the project's handlers and runs it in the real sandbox, with the given blocks and no network. */
export async function runHandler(
  name: string,
  request: CallRequest,
  blocks: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<Outcome> {
  const wasm = await buildModule(name);
  const cid = rawCid(wasm);
  const engine = await openLocalEngine(undefined, new Map([...blocks, [cid.toString(), wasm]]));
  try {
    const job = normalizeRequest(request);
    return await engine.sandbox.run({
      module: await engine.modules.load(cid),
      input: encodeInput(job, 'test'),
      seed: job.seed,
      timeMs: job.timeMs,
      limits: { fuelMax: 1e10, memoryPagesMax: 1024, outputBytesMax: 1024 * 1024, timeoutMs: 30_000 },
    });
  } finally {
    await engine.close();
  }
}
