import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Case, CaseOutcome } from '../../../provider/metering/testing/cases.ts';

const run = promisify(execFile);
const version = '50.0.1';
const script = fileURLToPath(new URL('run_cases.py', import.meta.url));

/** The Python with wasmtime in it, installed once in a directory for temporary files. Rejects where it cannot be had. */
export async function installWasmtime(): Promise<string> {
  const directory = join(tmpdir(), `workswap-wasmtime-${version}`);
  if (!existsSync(directory)) {
    const fresh = await mkdtemp(`${directory}-`);
    try {
      await run('python3', ['-m', 'venv', fresh]);
      await run(join(fresh, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', `wasmtime==${version}`]);
      // In one step, so that what is there is whole. Another run may have been quicker.
      await rename(fresh, directory).catch(() => undefined);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  }
  return join(directory, 'bin', 'python');
}

export async function runInWasmtime(python: string, cases: readonly Case[]): Promise<CaseOutcome[][]> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-cases-'));
  try {
    const file = join(directory, 'cases.json');
    await writeFile(file, JSON.stringify(cases));
    const { stdout } = await run(python, [script, file], { maxBuffer: 1024 * 1024 * 1024 });
    return JSON.parse(stdout) as CaseOutcome[][];
  } finally {
    await rm(directory, { recursive: true });
  }
}
