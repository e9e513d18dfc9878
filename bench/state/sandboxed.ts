import { fileURLToPath } from 'node:url';
import { compileModule } from '../../provider/modules/index.ts';
import { createSandbox, type JobSpec, type Outcome } from '../../provider/sandbox/index.ts';
import { jobOf } from '../../provider/sandbox/testing/modules.ts';
import type { ServiceState } from '../../provider/services/state/index.ts';
import { buildHandler } from '../../sdk/build/index.ts';
import { encodeInput } from '../../sdk/protocol/index.ts';
import { nextTask, value } from './scene.ts';

const SOURCE = fileURLToPath(new URL('./assembly/index.ts', import.meta.url));

export interface Sandboxed {
  /** An update by a real handler: writes 1 KB. */
  put(state: ServiceState, path: string): Promise<unknown>;
  /** A query by a real handler: answers with the file. */
  get(state: ServiceState, path: string): Promise<unknown>;
  close(): Promise<void>;
}

export async function openSandboxed(): Promise<Sandboxed> {
  const { wasm } = await buildHandler(SOURCE);
  const { cacheBytes: _, ...compiled } = compileModule(wasm);
  const sandbox = createSandbox({ threads: 2 });
  const seed = new Uint8Array(32);
  const jobFor = (method: string, path: string, body: Uint8Array): JobSpec => {
    const request = { method, path: `/${path}`, query: '', headers: {}, body, seed, timeMs: 0 };
    return jobOf({ cid: 'state', ...compiled }, { input: encodeInput(request, 'bench') });
  };
  const run = async (job: JobSpec): Promise<Outcome> => {
    const outcome = await sandbox.run(job);
    if (outcome.status !== 200) throw new Error(`The handler answered ${outcome.status}: ${outcome.error?.message}`);
    return outcome;
  };
  return {
    put(state, path) {
      return state.update(nextTask(), async (view) => {
        const { changes } = await run({ ...jobFor('POST', path, value()), state: { view, writable: true } });
        return changes === undefined ? {} : { changes };
      });
    },
    get(state, path) {
      const job = jobFor('GET', path, new Uint8Array(0));
      return run({ ...job, state: { view: state.view(), writable: false } });
    },
    close: () => sandbox.close(),
  };
}
