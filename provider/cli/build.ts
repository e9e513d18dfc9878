import { mkdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { rawCid } from '../../sdk/protocol/index.ts';
import { formatBytes } from './output.ts';

export function addBuild(program: Command): Command {
  return program
    .command('build')
    .description('Compile a handler written in AssemblyScript.')
    .argument('[path]', 'the source file that exports handle(req: Request): Response, or a project', '.')
    .option('-o, --output <FILE>', 'where to write the module; default: FILE.wasm here, build/NAME.wasm in a project')
    .option('--debug', 'keep names, do not optimise')
    .option('--source-map', 'write FILE.wasm.map beside the module, for `run --profile`; the module stays the same')
    .option('--json', 'print {"file", "bytes", "cid"}')
    .addHelpText(
      'after',
      '\nExamples:\n  workswap build handlers/hello/assembly/index.ts -o hello.wasm --source-map\n  workswap build guestbook',
    )
    .action(build);
}

interface BuildFlags {
  output?: string;
  debug?: boolean;
  sourceMap?: boolean;
  json?: boolean;
}

async function build(path: string, { debug = false, sourceMap, ...flags }: BuildFlags): Promise<void> {
  const { buildHandler } = await import('../../sdk/build/index.ts');
  const { file, output, isProject } = await targetOf(path, flags.output);
  const {
    wasm,
    diagnostics,
    sourceMap: map,
  } = await buildHandler(file, {
    debug,
    sourceMap: sourceMap ?? isProject,
  });
  if (diagnostics !== '') process.stderr.write(`${diagnostics}\n`);
  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, wasm);
  if (map !== undefined) await writeFile(`${output}.map`, map);
  const cid = rawCid(wasm).toString();
  if (flags.json) console.log(JSON.stringify({ file: output, bytes: wasm.length, cid }));
  else console.log(`${output}: ${formatBytes(wasm.length)}, ${cid}`);
}

/** What is built, and where it goes. A project's profile wants the source map, so it is always made. */
async function targetOf(
  path: string,
  output: string | undefined,
): Promise<{ file: string; output: string; isProject: boolean }> {
  const isProject = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  if (!isProject) {
    return { file: path, output: output ?? `${basename(path).replace(/\.ts$/, '')}.wasm`, isProject };
  }
  const { openProject } = await import('../workbench/index.ts');
  const { name, handler } = await openProject(path);
  return { file: handler, output: output ?? join(path, 'build', `${name}.wasm`), isProject };
}
