import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { WorkswapError } from '../sdk/protocol/index.ts';
import { MODULE_LIMITS } from './modules/index.ts';
import { GATEWAY_LIMITS } from './gateway/limits.ts';
import { MAILBOX_LIMITS } from './mailbox/limits.ts';
import { DELIVERY_LIMITS } from './messages/limits.ts';
import { PINNING_LIMITS } from './pinning/limits.ts';
import { SERVICES_LIMITS } from './services/limits.ts';
import { SANDBOX_LIMITS, type Limit } from './sandbox/index.ts';

const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

const address = z.string().refine(
  (text) => {
    try {
      multiaddr(text);
      return true;
    } catch {
      return false;
    }
  },
  { error: 'is not a multiaddr; it looks like /ip4/0.0.0.0/tcp/4771' },
);

const isPeerAddress = (text: string): boolean => /\/p2p\/[^/]+$/.test(text);

const routerUrl = z.url({ protocol: /^https?$/, error: 'is not a URL of http or https' });

/** A table of the file out of a table of limits. */
function limitsSchema<Name extends string>(limits: Record<Name, Limit>) {
  const fields = Object.entries<Limit>(limits).map(([name, { default: value, min, max }]) => [
    name,
    z.number().int().min(min).max(max).default(value),
  ]);
  return z.strictObject(Object.fromEntries(fields) as Record<Name, z.ZodDefault<z.ZodNumber>>);
}

/** An IP address, with or without a port. */
const dnsServer = z
  .string()
  .refine(isDnsServer, { error: 'a DNS server is an IP address, or one with a port: 9.9.9.9:53' });

/** One table in the file for each room; every value has a default that a stranger can host with. */
export const configSchema = z.strictObject({
  node: z
    .strictObject({
      /** Loopback by default: to run other people's code for other machines is a decision. */
      listen: z.array(address).max(16).default(['/ip4/127.0.0.1/tcp/4771']),
      connectionsMax: count.default(300),
      connectionRatePerHostMax: count.default(50),
      streamsPerConnectionMax: count.default(256),
    })
    .prefault({}),
  /** All off: to be found by strangers, and to ask strangers, is a decision. docs/routing.md */
  routing: z
    .strictObject({
      dht: z.enum(['off', 'client', 'server']).default('off'),
      delegated: z.array(routerUrl).max(8).default([]),
      bootstrap: z
        .array(address.refine(isPeerAddress, { error: 'must end in /p2p/PEER-ID' }))
        .max(64)
        .default([]),
      mdns: z.boolean().default(false),
      peerExchange: z.boolean().default(false),
      provide: z.enum(['nothing', 'roots', 'all']).default('nothing'),
      privateAddresses: z.boolean().default(false),
    })
    .refine(({ dht, provide }) => provide === 'nothing' || dht !== 'off', {
      error: 'provide needs the DHT: set dht to "client" or "server"',
    })
    .prefault({}),
  /** docs/services.md */
  services: z
    .strictObject({
      /** Whose services are hosted: `allowed` are the peers of `credit.allow` and one's own commands. */
      host: z.enum(['nobody', 'allowed', 'anyone']).default('allowed'),
      /** Asks the domain name system about names with dots: at the machine's own servers, or at those that are named. */
      dnslink: z.union([z.boolean(), z.array(dnsServer).min(1).max(8)]).default(false),
      siteBytesMax: count.default(SERVICES_LIMITS.siteBytesMax),
      servicesMax: count.default(SERVICES_LIMITS.servicesMax),
      sponsoredBytesPerVisitorMax: count.default(SERVICES_LIMITS.sponsoredBytesPerVisitorMax),
    })
    .prefault({}),
  /** docs/mailbox.md */
  mailbox: limitsSchema(MAILBOX_LIMITS)
    .extend({
      /** Who may have a mailbox here: `allowed` are the peers of `credit.allow` and one's own commands. */
      host: z.enum(['nobody', 'allowed', 'anyone']).default('allowed'),
    })
    .prefault({}),
  /** docs/messages.md */
  messages: limitsSchema(DELIVERY_LIMITS)
    .refine(({ priceBytesMax, servicePriceBytesMax }) => priceBytesMax <= servicePriceBytesMax, {
      error: 'priceBytesMax must not be above servicePriceBytesMax: every message would wait until it expires',
    })
    .prefault({}),
  /** Bytes per job, per KiB or per 10^9 units of fuel. The defaults are what `workswap calibrate` measured on two shared cores. */
  tariff: z
    .strictObject({
      job: count.default(2048),
      compile: count.default(6 * 1024),
      input: count.default(1024),
      output: count.default(1024),
      read: count.default(1024),
      write: count.default(1024),
      fuel: count.default(1_000_000),
      memory: count.default(1_000),
    })
    .prefault({}),
  /** Passed to the score ledger as it is; docs/ledger.md has the fields. */
  credit: z.record(z.string(), z.unknown()).prefault({}),
  /** HOST:PORT of the admin page; empty: there is none. docs/admin.md */
  admin: z.strictObject({ listen: z.string().max(256).default('') }).prefault({}),
  /** docs/gateway.md */
  gateway: limitsSchema(GATEWAY_LIMITS)
    .extend({
      /** HOST:PORT; empty: there is none. */
      listen: z.string().max(256).default(''),
      domains: z.array(z.hostname()).max(64).default([]),
      subdomains: z.boolean().default(true),
      trustProxy: z.boolean().default(false),
      showFailures: z.boolean().default(false),
    })
    .prefault({}),
  /** docs/pinning.md */
  pinning: limitsSchema(PINNING_LIMITS)
    .extend({
      /** Whose pins are taken: `allowed` are the peers of `credit.allow` and one's own commands. */
      pin: z.enum(['nobody', 'allowed', 'anyone']).default('allowed'),
      /** Origins at addresses of one's own network are dialled: to let strangers name them is a decision. */
      privateOrigins: z.boolean().default(false),
    })
    .prefault({}),
  /** docs/sandbox.md has the limits of both, with what happens beyond them. */
  sandbox: limitsSchema(SANDBOX_LIMITS).prefault({}),
  modules: limitsSchema(MODULE_LIMITS).prefault({}),
});

function isDnsServer(text: string): boolean {
  try {
    new Resolver().setServers([text]);
    return true;
  } catch {
    return false;
  }
}

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;

export class ConfigError extends WorkswapError {
  constructor(source: string, reason: string) {
    super('CONFIG_INVALID', `${source}: ${reason}`, { fault: 'provider' });
  }
}

/** @throws ConfigError that names the source and the field */
export function parseConfig(value: unknown, source: string): Config {
  const result = configSchema.safeParse(value);
  if (result.success) return result.data;
  const reasons = result.error.issues.map((issue) => `${issue.path.join('.') || 'config'}: ${issue.message}`);
  throw new ConfigError(source, reasons.join('; '));
}

/** Reads a TOML file; undefined when there is none. @throws ConfigError when it is unreadable or not TOML */
export async function readConfigFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(path, (error as Error).message);
  }
  try {
    return parse(text);
  } catch (error) {
    throw new ConfigError(path, (error as Error).message);
  }
}

export const CONFIG_FILE = 'workswap.toml';

/** Where a provider and a consumer keep their data unless told otherwise: `WORKSWAP_HOME`, else `~/.workswap`. */
export function defaultDirectory(role: 'provider' | 'consumer'): string {
  return join(process.env['WORKSWAP_HOME'] ?? join(homedir(), '.workswap'), role);
}
