import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { meter } from '../metering/index.ts';
import { readInput } from './options.ts';
import { formatBytes } from './output.ts';

export function addMeter(program: Command): Command {
  return program
    .command('meter')
    .description('Rewrite a module as a provider does before it runs it: fuel, memory and stack depth are metered.')
    .argument('<file>', 'a .wasm file')
    .requiredOption('-o, --output <FILE>', 'where to write the metered module')
    .option('--json', 'print {"meterVersion", "bytesIn", "bytesOut", "features"}')
    .addHelpText('after', '\nExample:\n  workswap meter hello.wasm -o hello.metered.wasm')
    .action(async (file: string, { output, json }: { output: string; json?: boolean }) => {
      const original = await readInput(file);
      const { bytes, meterVersion, features } = meter(original);
      await writeFile(output, bytes);
      const figures = { meterVersion, bytesIn: original.length, bytesOut: bytes.length, features };
      if (json) console.log(JSON.stringify(figures));
      else
        console.log(
          `${output}: ${formatBytes(original.length)} -> ${formatBytes(bytes.length)}, meter ${meterVersion}`,
        );
    });
}
