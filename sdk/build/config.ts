import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { BuildError } from './errors.ts';
import { SDK_DIRECTORY } from './paths.ts';

export type AscOptions = Record<string, string | number | boolean | string[]>;

export interface AuthorConfig {
  options: AscOptions;
  /** Options that were set but have no effect, because the ABI settles what they would change. */
  ignored: string[];
  /** Every file that had a say. */
  files: string[];
}

/**
 * What an author's asconfig.json may choose. Everything else (entries, output, imported or exported memory and tables)
 * shapes the module's border, and that is the ABI's.
 */
const CHOOSABLE: ReadonlySet<string> = new Set([
  'optimize',
  'optimizeLevel',
  'shrinkLevel',
  'converge',
  'noAssert',
  'uncheckedBehavior',
  'runtime',
  'stackSize',
  'lowMemoryLimit',
  'initialMemory',
  'maximumMemory',
  'enable',
  'disable',
  'use',
  'trapMode',
  'runPasses',
  'noUnsafe',
  'pedantic',
  'disableWarning',
]);

/** Chains of `extends` longer than this are a mistake. */
const EXTENDS_MAX = 8;

/** Reads the nearest asconfig.json at or above `directory`, up to the project's root, or else the SDK's own. */
export async function loadConfig(directory: string, target: 'release' | 'debug'): Promise<AuthorConfig> {
  const config: AuthorConfig = { options: {}, ignored: [], files: [] };
  let file: string | undefined = (await findUp(directory)) ?? path.join(SDK_DIRECTORY, 'asconfig.json');
  while (file !== undefined) {
    if (config.files.includes(file) || config.files.length === EXTENDS_MAX) {
      throw new BuildError(
        file,
        `${file}: "extends" goes round in a circle or more than ${EXTENDS_MAX} files deep`,
        [],
      );
    }
    config.files.push(file);
    const json = await readJson(file);
    const targets = objectAt(file, json, 'targets');
    // The first word counts: a target before the general options, a file before those that it extends.
    merge(config, objectAt(file, targets, target));
    merge(config, objectAt(file, json, 'options'));
    const base: unknown = json['extends'];
    if (base !== undefined && typeof base !== 'string') {
      throw new BuildError(file, `${file}: "extends" must be the path of another asconfig.json`, []);
    }
    file = base === undefined ? undefined : path.resolve(path.dirname(file), base);
  }
  return config;
}

function merge(config: AuthorConfig, options: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!CHOOSABLE.has(name)) {
      if (!config.ignored.includes(name)) config.ignored.push(name);
    } else if (!(name in config.options)) {
      config.options[name] = Array.isArray(value)
        ? value.map(String)
        : typeof value === 'object'
          ? String(value)
          : scalar(value);
    }
  }
}

function scalar(value: unknown): string | number | boolean {
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

async function findUp(directory: string): Promise<string | undefined> {
  for (let at = directory; ; at = path.dirname(at)) {
    if (await exists(path.join(at, 'asconfig.json'))) return path.join(at, 'asconfig.json');
    if (at === path.dirname(at) || (await exists(path.join(at, 'package.json')))) return undefined;
  }
}

async function exists(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  );
}

async function readJson(file: string): Promise<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (isObject(json)) return json;
  } catch (cause) {
    throw new BuildError(file, `${file}: ${cause instanceof Error ? cause.message : 'cannot be read'}`, [], cause);
  }
  throw new BuildError(file, `${file}: an asconfig.json must hold one JSON object`, []);
}

function objectAt(file: string, json: Record<string, unknown>, key: string): Record<string, unknown> {
  const value = json[key] ?? {};
  if (!isObject(value)) throw new BuildError(file, `${file}: "${key}" must be an object`, []);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
