import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Programs and modules of other implementations, which outlive a run. */
export const INTEROP_CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'workswap-interop');

/** Undefined when Go is not installed; the reason is then in `goMissing`. */
export const goVersion = findGo();
export const goMissing =
  'Go is not installed: the peers written in Go (boxo, Kubo) are not tested. Install it from go.dev';

/** Builds a program of a module in this directory, outside the checkout. Go's own cache makes a second build short. */
export async function buildGo(module: 'boxo-peer' | 'kubo', main: string): Promise<string> {
  mkdirSync(INTEROP_CACHE, { recursive: true });
  const output = join(INTEROP_CACHE, module);
  const cwd = join(import.meta.dirname, module);
  await promisify(execFile)('go', ['build', '-trimpath', '-o', output, main], { cwd, maxBuffer: 1 << 26 });
  return output;
}

function findGo(): string | undefined {
  try {
    return execFileSync('go', ['version'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
