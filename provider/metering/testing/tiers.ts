import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Case, CaseOutcome } from './cases.ts';

/** V8's baseline compiler only, its optimising compiler only, and both as usual. */
const tiers: readonly string[][] = [['--liftoff-only'], ['--no-liftoff'], []];
const runner = fileURLToPath(new URL('run-cases.ts', import.meta.url));

/** The outcomes of all cases in each tier of the engine, every tier in a process of its own. */
export async function inEveryTier(cases: readonly Case[]): Promise<CaseOutcome[][][]> {
  const folder = await mkdtemp(join(tmpdir(), 'metering-'));
  try {
    const file = join(folder, 'cases.json');
    await writeFile(file, JSON.stringify(cases));
    const answers = tiers.map((flags) =>
      promisify(execFile)(process.execPath, [...flags, runner, file], { maxBuffer: 1024 * 1024 * 1024 }),
    );
    return (await Promise.all(answers)).map(({ stdout }) => JSON.parse(stdout) as CaseOutcome[][]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
