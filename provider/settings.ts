import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WorkswapError } from '../sdk/protocol/index.ts';
import type { TariffRates } from '../sdk/protocol/index.ts';
import type { PeerOverride } from './ledger/index.ts';

const FILE = 'settings.json';
const OVERRIDES_MAX = 10_000;

const count = z.number().int().nonnegative();
const schema = z.strictObject({
  version: z.literal(1),
  overrides: z.record(
    z.string(),
    z.union([
      z.enum(['blocked', 'unlimited']),
      z.strictObject({ limitBytes: count.optional(), refreshBytesPerSecond: count.optional() }),
    ]),
  ),
  tariff: z.record(z.string(), count).optional(),
});

/** The settings cannot be read: nothing is guessed, since they may be what keeps a peer out. */
export class SettingsError extends WorkswapError {
  constructor(path: string, reason: string) {
    super(
      'SETTINGS_INVALID',
      `${path} cannot be used: ${reason}. Mend it, or delete it to go back to workswap.toml alone.`,
      { fault: 'provider' },
    );
  }
}

/**
 * What the operator decided while the provider ran, on the admin page or through the library: stronger than workswap.toml,
 * which stays as its author wrote it. One small file, replaced as a whole; without a directory it lasts as long as the process.
 */
export class Settings {
  readonly #path: string | undefined;
  #overrides: Record<string, PeerOverride>;
  #tariff: TariffRates | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string | undefined, value?: { overrides: object; tariff?: object | undefined }) {
    this.#path = path;
    this.#overrides = { ...(value?.overrides as Record<string, PeerOverride> | undefined) };
    this.#tariff = value?.tariff as TariffRates | undefined;
  }

  /** @throws SettingsError */
  static async open(dataDir: string | undefined): Promise<Settings> {
    if (dataDir === undefined) return new Settings(undefined);
    const path = join(dataDir, FILE);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Settings(path);
      throw new SettingsError(path, (error as Error).message);
    }
    try {
      return new Settings(path, schema.parse(JSON.parse(text)));
    } catch (error) {
      throw new SettingsError(path, (error as Error).message);
    }
  }

  get overrides(): Readonly<Record<string, PeerOverride>> {
    return this.#overrides;
  }

  get tariff(): TariffRates | undefined {
    return this.#tariff;
  }

  async setOverride(peer: string, override: PeerOverride | undefined): Promise<void> {
    const { [peer]: _replaced, ...others } = this.#overrides;
    if (override !== undefined && Object.keys(others).length >= OVERRIDES_MAX) {
      throw new WorkswapError('TOO_MANY_OVERRIDES', `There are ${OVERRIDES_MAX} decisions about peers already`, {
        fault: 'provider',
      });
    }
    this.#overrides = override === undefined ? others : { ...others, [peer]: override };
    await this.#save();
  }

  async setTariff(rates: TariffRates): Promise<void> {
    this.#tariff = rates;
    await this.#save();
  }

  /** One write after the other, each of what holds when its turn comes. */
  #save(): Promise<void> {
    const path = this.#path;
    if (path === undefined) return Promise.resolve();
    const write = async (): Promise<void> => {
      const file = await open(`${path}.new`, 'w', 0o600);
      try {
        const value = { version: 1, overrides: this.#overrides, tariff: this.#tariff };
        await file.writeFile(`${JSON.stringify(value, undefined, 2)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
    };
    this.#writing = this.#writing.catch(() => {}).then(write);
    return this.#writing;
  }
}
