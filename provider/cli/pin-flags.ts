import type { Command } from 'commander';
import { defaultDirectory } from '../config.ts';

/** What every command about pins takes. */
export interface PinFlags {
  data: string;
  at?: string;
  home: string;
  json?: boolean;
}

/** The flags that every command about pins has. */
export function withPinFlags(command: Command, description: string, examples: string): Command {
  return command
    .description(description)
    .option('--data <DIR>', 'the directory of the provider that runs here', defaultDirectory('provider'))
    .option('--at <ADDR>', 'multiaddr of another provider')
    .option('--home <DIR>', 'with --at: directory of the consumer that asks', defaultDirectory('consumer'))
    .option('--json', 'print one JSON document')
    .addHelpText('after', `\nExamples:\n${examples}`)
    .exitOverride()
    .showHelpAfterError('(--help shows examples)');
}
