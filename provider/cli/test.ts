import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from './errors.ts';

export function addTest(program: Command): Command {
  return program
    .command('test')
    .description("Run a project's tests with its vitest.")
    .argument('[directory]', 'the project', '.')
    .argument('[arguments...]', 'for vitest, after --')
    .addHelpText('after', '\nExamples:\n  workswap test\n  workswap test guestbook -- --watch')
    .action(test);
}

async function test(directory: string, rest: string[]): Promise<void> {
  const { openProject } = await import('../workbench/index.ts');
  const project = await openProject(resolve(directory));
  let vitest: string;
  try {
    vitest = createRequire(join(project.directory, 'package.json')).resolve('vitest/package.json');
  } catch {
    throw new UsageError(`${directory} has no vitest. Run npm install in it.`);
  }
  const mode = rest.includes('--watch') ? [] : ['run'];
  const child = spawn(process.execPath, [join(dirname(vitest), 'vitest.mjs'), ...mode, ...rest], {
    cwd: project.directory,
    stdio: 'inherit',
  });
  // Ctrl-C reaches vitest as well; the end of the command is the end of vitest.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('exit', done);
  });
  process.off('SIGINT', ignore);
  process.exitCode = code === 0 ? 0 : 1;
}
