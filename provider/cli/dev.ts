import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { Option } from 'commander';
import { UsageError } from './errors.ts';
import { count } from './options.ts';
import { formatBytes, formatCount } from './output.ts';
import { defaultDirectory } from '../config.ts';
import { blocksDirectory, interruptSignal } from './session.ts';

const PORT = 4400;

export function addDev(program: Command): Command {
  return program
    .command('dev')
    .description('Serve a project at localhost: builds and reloads on every save, shows what each request costs.')
    .argument('[directory]', 'the project', '.')
    .addOption(new Option('--port <PORT>', `default ${PORT}, or a free one when that is taken`).argParser(count))
    .option('--home <DIR>', 'directory whose published blocks the handler may read', defaultDirectory('consumer'))
    .option('--json', 'print one event a line: ready, built, build-failed, request')
    .addHelpText(
      'after',
      `
While it runs, http://localhost:${PORT}/.workswap/ lists the requests with their fuel, memory, price, log and profile,
and the files of the state, which are kept in .workswap/state of the project. Ctrl-C stops it.

Examples:
  workswap dev
  workswap dev guestbook --port 8080`,
    )
    .action(dev);
}

interface DevFlags {
  port?: number;
  home: string;
  json?: boolean;
}

async function dev(directory: string, { port, home, json = false }: DevFlags): Promise<void> {
  const signal = interruptSignal();
  const { startDev } = await import('../dev/index.ts');
  const say = (event: Record<string, unknown>, text: string): void => {
    if (json) console.log(JSON.stringify(event));
    else console.log(text);
  };
  const blocks = blocksDirectory(home);
  const options: Parameters<typeof startDev>[0] = {
    directory,
    port: port ?? PORT,
    ...(existsSync(blocks) ? { blocks } : {}),
    events: {
      built({ bytes, cid, diagnostics, reloads }) {
        if (diagnostics !== '') process.stderr.write(`${diagnostics}\n`);
        say({ event: 'built', bytes, cid, reloads }, `built ${formatBytes(bytes)} · ${cid}`);
      },
      buildFailed(error) {
        if (json) say({ event: 'build-failed', message: error.message, diagnostics: error.diagnostics }, '');
        else process.stderr.write(`${error.message}\n`);
      },
      request({ id, method, path, result: { outcome, priceBytes } }) {
        const { fuel, memoryPagesPeak, elapsedMs, error } = outcome;
        const status = error === undefined ? outcome.status : 500;
        const logs = outcome.logs.map(({ message }) => message);
        const messages = (outcome.messages ?? []).map(({ to, body }) => ({ to, text: Buffer.from(body).toString() }));
        const figures = `${formatCount(fuel)} fuel · ${memoryPagesPeak * 64} KiB · ${formatBytes(priceBytes)} · ${elapsedMs.toFixed(1)} ms`;
        const notes = [
          ...logs.map((line) => `  log: ${line}`),
          ...messages.map(({ to, text }) => `  sends to ${to}: ${text}`),
          ...(error === undefined ? [] : [`  ${error.code}: ${error.message}`]),
        ];
        say(
          {
            event: 'request',
            id,
            method,
            path,
            status,
            fuel,
            memoryPagesPeak,
            priceBytes,
            logs,
            ...(messages.length === 0 ? {} : { messages }),
            ...(error === undefined ? {} : { error }),
          },
          [`${method} ${path} ${status} · ${figures}`, ...notes].join('\n'),
        );
      },
    },
  };
  const running = await startDev(options).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    if (port !== undefined) throw new UsageError(`Port ${port} is taken. Name another, or stop what uses it.`);
    return startDev({ ...options, port: 0 });
  });
  say(
    { event: 'ready', url: running.url },
    `${running.url} serves ${directory}; ${running.url}.workswap/ shows requests and state. Ctrl-C stops it.`,
  );
  if (!signal.aborted) await once(signal, 'abort');
  await running.close();
}
