import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { encodeInput, price, rawCid } from '../../sdk/protocol/index.ts';
import { addRequestFlags, limitsOf, readInput, requestOf } from './options.ts';
import type { RequestFlags } from './options.ts';
import { formatBytes, formatCount, runJson } from './output.ts';
import { blocksDirectory, interruptSignal } from './session.ts';
import { defaultDirectory, parseConfig } from '../config.ts';
import { normalizeRequest } from '../../sdk/client/index.ts';

export function addRun(program: Command): Command {
  const command = program
    .command('run')
    .description('Run a handler here, metered as a provider would, without any network.')
    .argument('<file>', 'a .wasm file')
    .option('--home <DIR>', 'directory whose published blocks the handler may read', defaultDirectory('consumer'))
    .option('--state <DIR>', "files that are the service's state; GET and HEAD read them, other methods change them")
    .option('--caller <ID>', 'who the handler believes is asking', 'local')
    .option('--profile [FILE.svg]', 'tell where the fuel went, by function and line; FILE.svg: a flame graph')
    .option(
      '--json',
      'print status, headers, body (base64), fuel, memoryPagesPeak and priceBytes as one JSON document',
    );
  return addRequestFlags(command)
    .addHelpText(
      'after',
      `\nExamples:\n  workswap run hello.wasm --path '/?name=Ada'\n  workswap run upload.wasm --data @photo.png --json\n  workswap run notes.wasm --state notes --data 'body=first'\n  workswap run hello.wasm --profile hello.svg`,
    )
    .action(run);
}

async function run(
  file: string,
  flags: RequestFlags & { home: string; state?: string; caller: string; profile?: string | true; json?: boolean },
  command: Command,
): Promise<void> {
  const bytes = await readInput(file);
  const request = normalizeRequest(await requestOf(flags));
  const signal = interruptSignal();
  const [{ openLocalEngine }, { DirectoryState, isQuery }] = await Promise.all([
    import('../local-engine.ts'),
    import('../workbench/index.ts'),
  ]);
  const directory = blocksDirectory(flags.home);
  const cid = rawCid(bytes);
  const engine = await openLocalEngine(
    existsSync(directory) ? directory : undefined,
    new Map([[cid.toString(), bytes]]),
  );
  try {
    const module = await engine.modules.load(cid, { signal });
    const input = encodeInput(request, flags.caller);
    const limits = limitsOf(flags);
    const { tariff: rates } = parseConfig({}, 'defaults');
    const priceMax = command.getOptionValueSource('maxPrice') === 'default' ? Number.MAX_SAFE_INTEGER : flags.maxPrice;
    const state = flags.state === undefined ? undefined : await DirectoryState.open(flags.state);
    const job = {
      module,
      input,
      seed: request.seed,
      timeMs: request.timeMs,
      limits,
      budget: { rates, priceMax, compiledBytes: 0 },
      ...(state === undefined ? {} : { state: { view: state, writable: !isQuery(request.method) } }),
    };
    const outcome = await engine.sandbox.run(job, { signal });
    const { outputBytes, readBytes, writtenBytes, fuel, memoryPagesPeak, error } = outcome;
    const priceBytes = price(rates, {
      compiledBytes: 0,
      inputBytes: input.length,
      outputBytes,
      readBytes,
      writtenBytes,
      fuel,
      memoryPagesPeak,
    });
    for (const { message } of outcome.logs) process.stderr.write(`log: ${message}\n`);
    for (const { to, body } of outcome.messages ?? []) {
      process.stderr.write(`sends to ${to}: ${Buffer.from(body).toString()}\n`);
    }
    const profiling = flags.profile === undefined ? undefined : await import('./profile.ts');
    const profile = await profiling?.profileJob(file, bytes, job, engine);
    if (error === undefined && outcome.changes !== undefined) state?.apply(outcome.changes);
    await state?.written();
    const json = {
      ...runJson(outcome, priceBytes),
      ...(profile === undefined ? {} : { profile: profiling?.profileJson(profile) }),
    };
    if (flags.json) console.log(JSON.stringify(json));
    else process.stdout.write(outcome.body);
    const figures = `${formatCount(fuel)} fuel · ${memoryPagesPeak * 64} KiB memory · price ${formatBytes(priceBytes)} at the default tariff`;
    if (!flags.json) process.stderr.write(`status ${outcome.status} · ${figures}\n`);
    if (profile !== undefined) {
      await profiling?.showProfile(profile, file, flags.profile === true ? undefined : flags.profile);
    }
    if (error !== undefined) {
      process.stderr.write(`workswap: ${error.code}: ${error.message}\n`);
      process.exitCode = error.fault === 'handler' ? 4 : 1;
    }
  } finally {
    await engine.close();
  }
}
