import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PrivateKey } from '@libp2p/interface';
import { serviceName } from '../../../sdk/protocol/index.ts';
import { loadIdentity } from '../../node/index.ts';
import { ServiceKeyError } from './errors.ts';

/** A DNS label: it becomes the origin NAME.localhost. */
const SHORT_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const SUFFIX = '.key';
const KEYS_MAX = 4096;
/** A name that was not there is looked for again after this time. */
const MISSING_KEPT_MS = 1_000;

export function isShortName(text: string): boolean {
  return SHORT_NAME.test(text);
}

/**
 * The keys of one's own services: `keys/NAME.key`, readable by their owner only. Whoever loses the file can never change
 * the service again; whoever copies it can.
 */
export class ServiceKeys {
  readonly #directory: string;
  readonly #names = new Map<string, string>();
  #readMs = -Infinity;

  /** @param dataDir the node's directory */
  constructor(dataDir: string) {
    this.#directory = join(dataDir, 'keys');
  }

  /** @throws ServiceKeyError SERVICE_EXISTS, SHORT_NAME_INVALID */
  async create(short: string): Promise<PrivateKey> {
    const path = this.#path(short);
    if (await exists(path)) {
      throw new ServiceKeyError(
        'SERVICE_EXISTS',
        `There is a key for "${short}" already (${path}). Use "service update", or another name.`,
      );
    }
    return loadIdentity(path);
  }

  /** @throws ServiceKeyError SERVICE_UNKNOWN; IdentityError */
  async open(short: string): Promise<PrivateKey> {
    const path = this.#path(short);
    if (await exists(path)) return loadIdentity(path);
    throw new ServiceKeyError(
      'SERVICE_UNKNOWN',
      `There is no key ${path}. "workswap service create ${short}" makes one.`,
    );
  }

  async has(short: string): Promise<boolean> {
    return isShortName(short) && exists(this.#path(short));
  }

  /** Short names and IPNS names of all keys. */
  async list(): Promise<Map<string, string>> {
    await this.#read();
    return new Map(this.#names);
  }

  /** The IPNS name behind a short name; undefined when there is no such key. */
  async nameOf(short: string): Promise<string | undefined> {
    if (!isShortName(short)) return undefined;
    const known = this.#names.get(short);
    if (known !== undefined || performance.now() - this.#readMs < MISSING_KEPT_MS) return known;
    await this.#read();
    return this.#names.get(short);
  }

  /** What was last published for a service, as its maintainer keeps it. */
  async published(short: string): Promise<Uint8Array | undefined> {
    return readFile(this.#path(short, '.descriptor')).catch(() => undefined);
  }

  async keepPublished(short: string, descriptor: Uint8Array): Promise<void> {
    const path = this.#path(short, '.descriptor');
    await writeFile(`${path}.new`, descriptor, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  async #read(): Promise<void> {
    this.#readMs = performance.now();
    const files = await readdir(this.#directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new ServiceKeyError('KEYS_UNREADABLE', `${this.#directory} cannot be read: ${error.message}`);
    });
    const shorts = files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length));
    for (const short of shorts.filter(isShortName).slice(0, KEYS_MAX)) {
      if (this.#names.has(short)) continue;
      const key = await loadIdentity(this.#path(short));
      this.#names.set(short, serviceName(key.publicKey));
    }
  }

  #path(short: string, suffix = SUFFIX): string {
    if (isShortName(short)) return join(this.#directory, `${short}${suffix}`);
    throw new ServiceKeyError(
      'SHORT_NAME_INVALID',
      `"${short}" is not a short name: lower-case letters, digits and hyphens, at most 63, for example my-wiki.`,
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
