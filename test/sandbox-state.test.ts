import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createSandbox, execute, SandboxError } from '../provider/sandbox/index.ts';
import type { JobSpec, LoadedModule, Outcome, Sandbox, StateView } from '../provider/sandbox/index.ts';
import { MemoryState } from '../provider/workbench/index.ts';
import { buildHandler } from '../sdk/build/index.ts';
import { encodeInput } from '../sdk/protocol/index.ts';
import { loadModule, textOf } from './run-in-thread.ts';

/** Goal: a handler that an author writes reads and changes its service's files. Method: the SDK, compiled, in the real pool. */

const LIMITS = { fuelMax: 1e9, memoryPagesMax: 64, outputBytesMax: 1024 * 1024, timeoutMs: 20_000 };

const open: Sandbox[] = [];
function sandbox(): Sandbox {
  const created = createSandbox({ threads: 1, spareThreads: 1, closeTimeoutMs: 1 });
  open.push(created);
  return created;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function loadSource(source: string): Promise<LoadedModule> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-state-'));
  try {
    await writeFile(join(directory, 'keeper.ts'), source);
    return loadModule((await buildHandler(join(directory, 'keeper.ts'))).wasm);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function rejection(promise: Promise<Outcome>): Promise<SandboxError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SandboxError);
  return error as SandboxError;
}

describe('jobs with a state', () => {
  /** Remembers what it is told, by method, and lists what it knows. */
  const KEEPER = `import { Request, Response, state } from 'workswap';
export function handle(req: Request): Response {
  const key = req.query.get('key');
  if (req.method == 'PUT') state.writeText('notes/' + key, req.query.get('text'));
  if (req.method == 'DELETE') state.remove('notes/' + key);
  const out = Response.text('');
  const text = state.readText('notes/' + key);
  out.write(text === null ? 'none;' : text + ';');
  const entries = state.list('notes', '', 1000);
  for (let i = 0; i < entries.length; i++) out.write(' ' + entries[i].name);
  return out;
}
`;
  let keeper: LoadedModule;
  beforeAll(async () => {
    keeper = await loadSource(KEEPER);
  }, 60_000);

  const request = (method: string, query: string): Pick<JobSpec, 'input'> => ({
    input: encodeInput({ method, path: '/', query, headers: {}, timeMs: 0, seed: new Uint8Array(32) }, 'caller'),
  });
  const job = (view: StateView, method: string, query: string): JobSpec => ({
    module: keeper,
    seed: new Uint8Array(32),
    timeMs: 0,
    limits: LIMITS,
    ...request(method, query),
    state: { view, writable: method !== 'GET' },
  });

  test('read it, change it, and see their own changes; the changes come back with the outcome', async () => {
    const pool = sandbox();
    const kept = new MemoryState();
    for (let i = 0; i < 30; i++) kept.set(`notes/${String(i).padStart(2, '0')}`, new TextEncoder().encode(`text ${i}`));
    const written = await pool.run(job(kept, 'PUT', 'key=12a&text=new'));
    expect(textOf(written)).toMatch(/^new; 00 01 .* 12 12a 13 .* 29$/);
    expect([...written.changes!.written.keys()]).toEqual(['notes/12a']);
    expect(written.writtenBytes).toBe('notes/12a'.length + 'new'.length);
    kept.apply(written.changes!);
    const removed = await pool.run(job(kept, 'DELETE', 'key=00'));
    expect(removed.changes).toMatchObject({ removed: ['notes/00'] });
    kept.apply(removed.changes!);
    const read = await pool.run(job(kept, 'GET', 'key=12a'));
    expect(textOf(read)).toMatch(/^new; 01 02/);
    expect(read.changes).toBeUndefined();
    // In this thread the engine is the same.
    const { head: _head, elapsedMs: _elapsed, ...same } = execute(job(kept, 'GET', 'key=12a'));
    expect(same).toMatchObject({ fuel: read.fuel, status: 200 });
  });

  test('burn the same fuel whether the state is at hand or comes later', async () => {
    const pool = sandbox();
    const kept = new MemoryState([['notes/a', new Uint8Array(40_000).fill(97)]]);
    const later: StateView = {
      stat: async (path) => kept.stat(path),
      read: async (path, offset, length) => kept.read(path, offset, length),
      list: async (path, after, limit) => kept.list(path, after, limit),
    };
    const now = await pool.run(job(kept, 'GET', 'key=a'));
    const then = await pool.run(job(later, 'GET', 'key=a'));
    expect(then.fuel).toBe(now.fuel);
    expect(Buffer.compare(then.body, now.body)).toBe(0);
    expect(now.body.length).toBe(40_000 + '; a'.length);
  });

  test('that change it in a query end, and change nothing; a state that fails says nothing of paths', async () => {
    const pool = sandbox();
    const kept = new MemoryState();
    const query = await pool.run({ ...job(kept, 'PUT', 'key=a&text=b'), state: { view: kept, writable: false } });
    expect(query).toMatchObject({ error: { code: 'READ_ONLY', fault: 'handler' } });
    expect(query.changes).toBeUndefined();
    const { state: _none, ...without } = job(kept, 'PUT', 'key=a&text=b');
    expect((await pool.run(without)).error?.code).toBe('READ_ONLY');
    const failing: StateView = {
      ...kept,
      stat: () => Promise.reject(new Error('/srv/state')),
      read: () => undefined,
      list: () => undefined,
    };
    const error = await rejection(pool.run(job(failing, 'GET', 'key=a')));
    expect(error).toMatchObject({ code: 'STATE_UNAVAILABLE', retryable: true, fault: 'provider' });
    expect(error.message).not.toContain('/srv');
  });
});
