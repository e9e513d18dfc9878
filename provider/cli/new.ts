import { basename, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { TEMPLATES } from '../workbench/index.ts';
import type { Template } from '../workbench/index.ts';

export function addNew(program: Command): Command {
  return program
    .command('new')
    .description('Make a project: a handler with its test, ready to build, test and run.')
    .argument('<name>', 'the name, also of the directory that is made; or a path that ends in the name')
    .addOption(new Option('--template <TEMPLATE>', 'what to start from').choices(TEMPLATES).default('hello'))
    .option('--json', 'print {"directory", "template", "ready"}')
    .addHelpText(
      'after',
      `
Templates:
  hello       greets by name
  site        pages around static files, a cookie
  api         a JSON API on the service's state
  guestbook   a page with a form on the service's state, without script
  worker      computes over IPFS files

Examples:
  workswap new hello && workswap dev hello
  workswap new ~/code/notes --template api`,
    )
    .action(make);
}

async function make(path: string, { template, json }: { template: Template; json?: boolean }): Promise<void> {
  const { newProject } = await import('../workbench/index.ts');
  const directory = resolve(path);
  const { isReady } = await newProject(directory, basename(directory), template);
  if (json) {
    console.log(JSON.stringify({ directory, template, ready: isReady }));
    return;
  }
  const here = relative('.', directory);
  console.log(`${here}: a new project from the template ${template}. To go on:

  cd ${here}${isReady ? '' : '\n  npm install'}
  npm run dev      # http://localhost:4400, reloads on every save
  npm test`);
}
