import { readFile, writeFile } from 'node:fs/promises';
import { CID } from 'multiformats/cid';
import type { LocalEngine } from '../local-engine.ts';
import { flameGraph, profile, ProfileFilesError, reportOf, SourceMap, withFiles } from '../profile/index.ts';
import type { Profile } from '../profile/index.ts';
import { createNodeHost } from '../sandbox/index.ts';
import type { JobSpec } from '../sandbox/index.ts';
import { openFile } from '../store/index.ts';

/** Runs a job once more, instrumented, and tells where its fuel went. The source map stands beside the module. */
export async function profileJob(file: string, wasm: Uint8Array, job: JobSpec, engine: LocalEngine): Promise<Profile> {
  const map = await readFile(`${file}.map`, 'utf8').catch(() => undefined);
  const sourceMap = map === undefined ? undefined : new SourceMap(map);
  return withFiles(
    (files) => profile(wasm, job, createNodeHost(files), sourceMap),
    async (cid, bytesMax) => {
      const handle = await openFile(CID.decode(cid), engine.getBlock);
      if (handle.size > bytesMax) throw new ProfileFilesError();
      return handle.read(0, handle.size);
    },
  );
}

/** Prints the profile for people on standard error, and writes the flame graph where one is wanted. */
export async function showProfile(found: Profile, file: string, svg: string | undefined): Promise<void> {
  process.stderr.write(`\n${reportOf(found)}`);
  if (svg === undefined) return;
  await writeFile(svg, flameGraph(found, file));
  process.stderr.write(`\nflame graph: ${svg}\n`);
}

/** What `--json` adds. */
export function profileJson({ fuel, functions, lines }: Profile): Record<string, unknown> {
  return { fuel, functions, lines: lines.map(({ file, line, fuel: burnt }) => ({ file, line, fuel: burnt })) };
}
