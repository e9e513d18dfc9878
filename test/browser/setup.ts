import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import type { TestProject } from 'vitest/node';
import { startProvider, workswap } from '../processes.ts';
import { chromiumPath } from './chromium.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Addresses of the provider's admin page and gateway, and those that consumers dial; a handler for them to call. */
    scene: { admin: string; gateway: string; addrs: string[]; hello: string };
  }
}

const SERVICES = ['guestbook', 'wiki', 'board', 'thumbs'];

async function run(...args: string[]): Promise<void> {
  const { code, stderr } = await workswap(args);
  if (code !== 0) throw new Error(`workswap ${args.join(' ')} failed: ${stderr}`);
}

/** One provider with gateway and admin page, and the handlers published to it, all by the commands that users type. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (chromiumPath() === undefined) {
    const message = 'There is no Chromium here: apt-get install chromium, or name one in WORKSWAP_CHROMIUM.';
    if (env['CI'] === 'true') throw new Error(message);
    console.warn(`\nSKIPPED, nothing was seen in a browser. ${message}\n`);
    return undefined;
  }
  const data = await mkdtemp(join(tmpdir(), 'workswap-browser-'));
  const removeData = (): Promise<void> => rm(data, { recursive: true, force: true });
  const config = join(data, 'workswap.toml');
  await writeFile(config, '[mailbox]\nhost = "anyone"\n');
  const args = ['--gateway', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--no-first-job'];
  const provider = await startProvider({ data, config, args });
  const stop = async (): Promise<void> => {
    await provider.stop();
    await removeData();
  };
  const moduleOf = (name: string): string => join(data, `${name}.wasm`);
  try {
    const sourceOf = (name: string): string => join('handlers', name, 'assembly', 'index.ts');
    await Promise.all(['hello', ...SERVICES].map((name) => run('build', sourceOf(name), '-o', moduleOf(name))));
    for (const name of SERVICES) {
      const site = join('handlers', name, 'public');
      await run('service', 'create', name, '--handler', moduleOf(name), '--site', site, '--data', data);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const { admin = '', gateway = '', addrs } = provider;
  project.provide('scene', { admin, gateway, addrs, hello: moduleOf('hello') });
  return stop;
}
