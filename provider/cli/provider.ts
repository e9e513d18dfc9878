import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { CID } from 'multiformats/cid';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { CONFIG_FILE, defaultDirectory, parseConfig, readConfigFile } from '../config.ts';
import type { ConfigInput } from '../config.ts';
import type { EndedJob } from '../jobs/index.ts';
import { errorJson, UsageError } from './errors.ts';
import { formatBytes, shortPeer } from './output.ts';
import { parseCid } from './session.ts';
import type { Gateway } from '../gateway/index.ts';
import type { Admin } from '../admin/index.ts';
import type { Provider } from '../provider.ts';

/** Bitswap has waited for a while already when it says that nobody has a block. */
const WANT_AGAIN_MS = 5000;
const REPEAT_AFTER_MS = 10_000;
const ERRORS_REMEMBERED_MAX = 100;

interface ProviderFlags {
  data: string;
  listen?: string[];
  config?: string;
  admin?: string;
  gateway?: string;
  want: string[];
  firstJob: boolean;
  verbose?: boolean;
  json?: boolean;
}

export function addProvider(program: Command): Command {
  const repeat = (value: string, all: string[] = []): string[] => [...all, value];
  return program
    .command('provider')
    .description('Host compute for others. Runs until Ctrl-C.')
    .option('--data <DIR>', 'directory for identity, ledger and blocks; made if missing', defaultDirectory('provider'))
    .option(
      '--listen <ADDR>',
      'multiaddr to listen on; may be repeated. Default: /ip4/127.0.0.1/tcp/4771, this machine only',
      repeat,
    )
    .option('--gateway <HOST:PORT>', 'serve the services of this provider, and content of IPFS, over HTTP there')
    .option(
      '--admin <HOST:PORT>',
      'serve the admin page, metrics and health there; its address has a token that opens it',
    )
    .option('--config <FILE>', `settings in TOML; default: ${CONFIG_FILE} in the data directory, if it is there`)
    .option(
      '--want <CID>',
      'content this provider wants to hold: peers in debt are told, and pay by serving it',
      repeat,
      [],
    )
    .option('--verbose', 'print every job that ends, with who asked and what it cost')
    .option('--no-first-job', 'skip the job that shows at the start that everything works')
    .option(
      '--json',
      'one JSON event a line; the first is {"event":"ready","peerId","addrs","gateway"?,"pinning"?,"admin"?}',
    )
    .addHelpText(
      'after',
      `
Examples:
  workswap provider
  workswap provider --listen /ip4/0.0.0.0/tcp/4771       serve other machines too
  workswap provider --gateway 127.0.0.1:8080             services at http://NAME.localhost:8080/
  workswap provider --admin 127.0.0.1:4773               watch and steer it in a browser
  workswap provider --data /srv/workswap --json`,
    )
    .action(provide);
}

async function provide(flags: ProviderFlags): Promise<void> {
  const wants = flags.want.map((text) => parseCid(text) ?? fail(`--want takes a CID, not ${text}`));
  const config = await configOf(flags);
  const stopping = stopSignal();
  const print = flags.json ? printEvent : printLine;
  const onError = withoutRepeats((error) => print({ event: 'error', error: errorJson(error) }));
  const { createProvider } = await import('../provider.ts');
  const provider = await createProvider({
    dataDir: flags.data,
    config,
    onError,
  });
  let admin: Admin | undefined;
  let gateway: Gateway | undefined;
  try {
    gateway = await openGateway(flags.gateway, provider, config, onError);
    const adminListen = flags.admin ?? parseConfig(config, 'config').admin.listen;
    admin = await openAdmin(adminListen, provider, gateway, flags.data, onError);
    const pages = {
      ...(gateway === undefined ? {} : { gateway: gateway.url, pinning: `${gateway.url}/psa` }),
      ...(admin === undefined ? {} : { admin: admin.url }),
    };
    provider.services.onEvent(print);
    if (flags.verbose) provider.activity.onEnd((job) => print({ event: 'job', ...job }));
    print({ event: 'ready', peerId: provider.peerId.toString(), addrs: provider.addrs, ...pages });
    if (flags.firstJob && !flags.json && !stopping.aborted) await showFirstJob(provider, flags.data, stopping);
    await Promise.all([serveUntil(stopping), ...wants.map((root) => obtain(provider, root, stopping, print))]);
  } finally {
    print({ event: 'stopping' });
    await gateway?.stop();
    await admin?.stop();
    await provider.stop();
    print({ event: 'stopped' });
  }
}

async function openAdmin(
  listen: string,
  provider: Provider,
  gateway: Gateway | undefined,
  dataDir: string,
  onError: (error: unknown) => void,
): Promise<Admin | undefined> {
  if (listen === '') return undefined;
  const { startAdmin } = await import('../admin/index.ts');
  return startAdmin({ provider, gateway, listen, dataDir, onError });
}

async function openGateway(
  listen: string | undefined,
  provider: Provider,
  config: ConfigInput,
  onError: (error: unknown) => void,
): Promise<Gateway | undefined> {
  const { gateway } = parseConfig(config, 'config');
  const address = listen ?? gateway.listen;
  if (address === '') return undefined;
  const { startGateway } = await import('../gateway/index.ts');
  return startGateway(provider, { ...gateway, listen: address }, onError);
}

/** A full disk fails every job: the host is told once in a while, not a thousand times a second. */
function withoutRepeats(report: (error: unknown) => void): (error: unknown) => void {
  const reportedMs = new Map<unknown, number>();
  return (error) => {
    const what = error instanceof WorkswapError ? error.code : String(error);
    const nowMs = performance.now();
    if (nowMs - (reportedMs.get(what) ?? -Infinity) < REPEAT_AFTER_MS) return;
    if (reportedMs.size >= ERRORS_REMEMBERED_MAX) reportedMs.clear();
    reportedMs.set(what, nowMs);
    report(error);
  };
}

async function configOf({ config, data, listen }: ProviderFlags): Promise<ConfigInput> {
  const path = config ?? join(data, CONFIG_FILE);
  const value = await readConfigFile(path);
  if (value === undefined && config !== undefined) throw new UsageError(`There is no file ${config}`);
  const { node, ...rest } = parseConfig(value ?? {}, path);
  return parseConfig({ ...rest, node: listen === undefined ? node : { ...node, listen } }, '--listen');
}

/** SIGINT and SIGTERM stop the provider in good order; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

async function serveUntil(stopping: AbortSignal): Promise<void> {
  if (stopping.aborted) return;
  await new Promise<void>((resolve) => {
    stopping.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Fetches a DAG from whoever connects and has it, today or next week. */
async function obtain(
  provider: Provider,
  root: CID,
  stopping: AbortSignal,
  print: (event: Event) => void,
): Promise<void> {
  while (!stopping.aborted) {
    try {
      const { blocks, bytes } = await provider.fetch(root, { signal: stopping });
      print({ event: 'fetched', cid: root.toString(), blocks, bytes });
      return;
    } catch (error) {
      if (stopping.aborted) return;
      const isAbsent = error instanceof WorkswapError && error.code === 'BLOCK_UNAVAILABLE';
      if (!isAbsent) print({ event: 'error', error: errorJson(error) });
      if (!(error instanceof WorkswapError) || !error.retryable) return;
    }
    await setTimeout(WANT_AGAIN_MS, undefined, { signal: stopping }).catch(() => {});
  }
}

type Event = { event: string } & Record<string, unknown>;

function printEvent(event: Event): void {
  console.log(JSON.stringify(event));
}

function printLine({ event, ...fields }: Event): void {
  if (event === 'ready') {
    console.log(`Provider ${String(fields['peerId'])} is ready at`);
    for (const addr of fields['addrs'] as string[]) console.log(`  ${addr}`);
    if (fields['gateway'] !== undefined) console.log(`Gateway: ${String(fields['gateway'])}`);
    if (fields['pinning'] !== undefined) console.log(`Pinning Service API: ${String(fields['pinning'])}`);
    if (fields['admin'] !== undefined) console.log(`Admin page: ${String(fields['admin'])}`);
  } else if (event === 'stopping') console.log('\nStopping: running jobs finish or are refunded ...');
  else if (event === 'stopped') console.log('Stopped.');
  else if (event === 'fetched')
    console.log(
      `Fetched ${String(fields['cid'])}: ${String(fields['blocks'])} blocks, ${String(fields['bytes'])} bytes`,
    );
  else if (event === 'hosted')
    console.log(`Hosts ${String(fields['service'])} for ${shortPeer(String(fields['maintainer']))}`);
  else if (event === 'unhosted') console.log(`Hosts ${String(fields['service'])} no more; its state is kept`);
  else if (event === 'rolledBack')
    console.log(`Rolled ${String(fields['service'])} back to the state ${String(fields['root'])}`);
  else if (event === 'job') console.log(jobLine(fields as unknown as EndedJob));
  else if (event === 'error') process.stderr.write(`workswap: ${JSON.stringify(fields['error'])}\n`);
}

function jobLine({ method, path, code, status, elapsedMs, priceBytes, consumer }: EndedJob): string {
  const result = code === 'OK' ? String(status) : code;
  const line = `${method} ${path} ${result}  ${elapsedMs} ms  ${formatBytes(priceBytes)}  ${shortPeer(consumer)}`;
  // A stranger chose method and path, and shall not steer a terminal with them.
  return line.replace(/\p{Cc}/gu, '?');
}

async function showFirstJob(provider: Provider, data: string, signal: AbortSignal): Promise<void> {
  console.log('Running a first job through the public protocol ...');
  const { runFirstJob } = await import('./first-job.ts');
  try {
    console.log(await runFirstJob(provider, data, signal));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function fail(message: string): never {
  throw new UsageError(message);
}
