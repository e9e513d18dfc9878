import { Option } from 'commander';
import type { Command } from 'commander';
import { defaultDirectory } from '../config.ts';

/** What every command about services takes. */
export interface ServiceFlags {
  data: string;
  json?: boolean;
}

export interface ChangeFlags extends ServiceFlags {
  handler?: string;
  site?: string | false;
  endpoint?: string[];
  sponsor?: 'maintainer' | 'caller';
}

const repeat = (value: string, all: string[] = []): string[] => [...all, value];

/** The work of each command is loaded when it is asked for: it brings libp2p. */
const actions = async () => import('./service-actions.ts');

export function addService(program: Command): Command {
  const service = program
    .command('service')
    .description('Own services: publish them under a key, change them, look at them, move them.')
    .addHelpText(
      'after',
      `
Examples:
  workswap service create notes --handler notes.wasm --site public/
  workswap service update notes --handler notes.wasm
  workswap service show notes
  workswap service rollback notes --back 1
  workswap service export notes notes.car
  workswap service import notes notes.car --data ~/other

The key of a service is DATA/keys/NAME.key. Whoever has it can change the service; without it nobody can.`,
    );
  const add = (name: string, description: string, examples: string): Command =>
    service
      .command(name)
      .description(description)
      .option('--data <DIR>', 'the directory of keys, and of the provider that runs here', defaultDirectory('provider'))
      .option('--json', 'print one JSON document')
      .addHelpText('after', `\nExamples:\n${examples}`)
      .exitOverride()
      .showHelpAfterError('(--help shows examples)');
  const addEndpoints = (command: Command): Command =>
    command.option(
      '--endpoint <ADDR>',
      'multiaddr of a provider that shall host it, ending in /p2p/PEER-ID; may be repeated. Default: the provider of DATA',
      repeat,
    );
  const addChanges = (command: Command): Command =>
    addEndpoints(command).addOption(
      new Option('--sponsor <WHO>', 'who pays for visitors').choices(['maintainer', 'caller']),
    );

  addChanges(
    add(
      'create',
      'Make a key and publish a service under it.',
      `  workswap service create notes --handler notes.wasm
  workswap service create notes --handler bafk... --site public/ --endpoint /ip4/10.0.0.7/tcp/4771/p2p/12D3Koo...`,
    ),
  )
    .argument('<name>', 'short name: lower-case letters, digits, hyphens')
    .requiredOption('--handler <FILE-or-CID>', 'the WASM module')
    .option('--site <DIR-or-CID>', 'static files')
    .action(async (name: string, flags: ChangeFlags) => (await actions()).create(name, flags));

  addChanges(
    add(
      'update',
      'Publish a new handler, site, endpoints or policy; also renews what is about to expire.',
      `  workswap service update notes --handler notes.wasm
  workswap service update notes --no-site
  workswap service update notes`,
    ),
  )
    .argument('<name>', 'short name')
    .option('--handler <FILE-or-CID>', 'the WASM module; default: as it is')
    .option('--site <DIR-or-CID>', 'static files; default: as they are')
    .option('--no-site', 'without static files from now on')
    .action(async (name: string, flags: ChangeFlags) => (await actions()).update(name, flags));

  add(
    'show',
    'What is published, where it runs, at which state, and the last commits.',
    '  workswap service show notes\n  workswap service show notes --history 100 --json',
  )
    .argument('<name>', 'short name')
    .option('--history <N>', 'commits to show', '10')
    .action(async (name: string, flags: ServiceFlags & { history: string }) => (await actions()).show(name, flags));

  add('list', 'All services whose keys are here.', '  workswap service list').action(async (flags: ServiceFlags) =>
    (await actions()).list(flags),
  );

  add(
    'rollback',
    'Set the state back to what it was after an earlier commit. That is a new commit: nothing is lost.',
    '  workswap service rollback notes --back 1\n  workswap service rollback notes bafyrei...',
  )
    .argument('<name>', 'short name')
    .argument('[commit]', 'the commit whose state comes back; "service show" lists them')
    .option('--back <N>', 'so many commits before the newest')
    .action(async (name: string, commit: string | undefined, flags: ServiceFlags & { back?: string }) =>
      (await actions()).rollback(name, commit, flags),
    );

  add(
    'export',
    'One CAR file with everything: handler, site, state, all commits, descriptor, record.',
    '  workswap service export notes notes.car',
  )
    .argument('<name>', 'short name')
    .argument('<file>', 'the file to write')
    .action(async (name: string, file: string, flags: ServiceFlags) =>
      (await actions()).exportService(name, file, flags),
    );

  addEndpoints(
    add(
      'import',
      "Go on with an exported service at another provider. The service's key has to be in DATA/keys.",
      `  cp ~/old/keys/notes.key ~/new/keys/ && workswap service import notes notes.car --data ~/new`,
    ),
  )
    .argument('<name>', 'short name')
    .argument('<file>', 'the file that "service export" wrote')
    .action(async (name: string, file: string, flags: ServiceFlags & { endpoint?: string[] }) =>
      (await actions()).importService(name, file, flags),
    );
  return service;
}
