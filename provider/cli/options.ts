import { readFile } from 'node:fs/promises';
import { Option } from 'commander';
import type { Command } from 'commander';
import { DEFAULT_LIMITS } from '../../sdk/client/index.ts';
import type { CallRequest } from '../../sdk/client/index.ts';
import type { TaskLimits } from '../../sdk/protocol/index.ts';
import { UsageError } from './errors.ts';

export function count(text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 0) throw new UsageError(`${text} is not a whole number of 0 or more`);
  return value;
}

function positive(text: string): number {
  const value = count(text);
  if (value === 0) throw new UsageError('0 is not enough; give a whole number of 1 or more');
  return value;
}

/** What a request and its limits are made of, the same for every command that runs a handler. */
export interface RequestFlags {
  method?: string;
  path: string;
  header: string[];
  data?: string;
  fuel: number;
  memory: number;
  output: number;
  timeout: number;
  maxPrice: number;
  seed?: string;
  time?: number;
}

export function addRequestFlags(command: Command): Command {
  return command
    .option('--path <PATH>', 'path with query string', '/')
    .option('--method <METHOD>', 'default GET, with --data POST')
    .option(
      '--header <NAME:VALUE>',
      'a request header; may be repeated',
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option('--data <TEXT>', 'request body; @FILE reads it from a file, @- from standard input')
    .addOption(new Option('--fuel <N>', 'most fuel to burn').argParser(positive).default(DEFAULT_LIMITS.fuelMax))
    .addOption(
      new Option('--memory <MIB>', 'most memory, in MiB')
        .argParser(positive)
        .default(DEFAULT_LIMITS.memoryPagesMax / 16),
    )
    .addOption(
      new Option('--output <BYTES>', 'most output, in bytes')
        .argParser(positive)
        .default(DEFAULT_LIMITS.outputBytesMax),
    )
    .addOption(
      new Option('--timeout <MS>', 'most wall-clock time, in milliseconds')
        .argParser(positive)
        .default(DEFAULT_LIMITS.timeoutMs),
    )
    .addOption(
      new Option('--max-price <BYTES>', 'most to pay, in bytes').argParser(count).default(DEFAULT_LIMITS.priceMaxBytes),
    )
    .addOption(new Option('--time <MS>', 'the time that the handler sees, milliseconds since 1970').argParser(count))
    .option('--seed <HEX>', 'the 32 bytes that all randomness of the handler follows from');
}

export async function requestOf(flags: RequestFlags): Promise<CallRequest> {
  const request: CallRequest = { path: flags.path, headers: headersOf(flags.header) };
  if (flags.method !== undefined) request.method = flags.method.toUpperCase();
  if (flags.data !== undefined) request.body = await bodyOf(flags.data);
  if (flags.time !== undefined) request.timeMs = flags.time;
  if (flags.seed !== undefined) {
    if (!/^[0-9a-f]{64}$/i.test(flags.seed)) throw new UsageError('--seed takes 64 hexadecimal digits');
    request.seed = new Uint8Array(Buffer.from(flags.seed, 'hex'));
  }
  return request;
}

export function limitsOf(flags: RequestFlags): TaskLimits {
  return {
    fuelMax: flags.fuel,
    memoryPagesMax: flags.memory * 16,
    outputBytesMax: flags.output,
    timeoutMs: flags.timeout,
    priceMaxBytes: flags.maxPrice,
  };
}

function headersOf(lines: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const at = line.indexOf(':');
    if (at < 1) throw new UsageError(`--header takes NAME:VALUE, not ${line}`);
    headers[line.slice(0, at).trim().toLowerCase()] = line.slice(at + 1).trim();
  }
  return headers;
}

/** A flag's own text, or with @FILE what the file holds, or with @- standard input. */
export async function bodyOf(data: string): Promise<Uint8Array | string> {
  if (!data.startsWith('@')) return data;
  return readInput(data === '@-' ? '/dev/stdin' : data.slice(1));
}

/** Reads a file that the user named; a missing one is a usage error that says so. */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(code === 'ENOENT' ? `There is no file ${path}` : `Cannot read ${path}: ${message}`);
  }
}
