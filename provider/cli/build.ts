import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { rawCid } from '../../sdk/protocol/index.ts';
import { formatBytes } from './output.ts';

export function addBuild(program: Command): Command {
  return program
    .command('build')
    .description('Compile a handler written in AssemblyScript.')
    .argument('<file>', 'the source file that exports handle(req: Request): Response')
    .option('-o, --output <FILE>', 'where to write the module; default: the source with .wasm')
    .option('--debug', 'keep names, do not optimise')
    .option('--source-map', 'write FILE.wasm.map beside the module, for `run --profile`; the module stays the same')
    .option('--json', 'print {"file", "bytes", "cid"}')
    .addHelpText('after', '\nExample:\n  workswap build handlers/hello/assembly/index.ts -o hello.wasm --source-map')
    .action(build);
}

interface BuildFlags {
  output?: string;
  debug?: boolean;
  sourceMap?: boolean;
  json?: boolean;
}

async function build(file: string, { debug = false, sourceMap = false, ...flags }: BuildFlags): Promise<void> {
  const { buildHandler } = await import('../../sdk/build/index.ts');
  const { wasm, diagnostics, sourceMap: map } = await buildHandler(file, { debug, sourceMap });
  if (diagnostics !== '') process.stderr.write(`${diagnostics}\n`);
  const output = flags.output ?? `${basename(file).replace(/\.ts$/, '')}.wasm`;
  await writeFile(output, wasm);
  if (map !== undefined) await writeFile(`${output}.map`, map);
  const cid = rawCid(wasm).toString();
  if (flags.json) console.log(JSON.stringify({ file: output, bytes: wasm.length, cid }));
  else console.log(`${output}: ${formatBytes(wasm.length)}, ${cid}`);
}
