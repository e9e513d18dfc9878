import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import type { TestProject } from 'vitest/node';
import { startProvider, workswap } from '../processes.ts';
import { chromiumPath } from './chromium.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Addresses of the provider's admin page and gateway, and those that consumers dial. */
    scene: { admin: string; gateway: string; addrs: string[] };
  }
}

const HANDLERS = ['guestbook', 'wiki', 'board', 'thumbs'];

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
  const args = ['--gateway', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--no-first-job'];
  const provider = await startProvider({ data, args });
  const stop = async (): Promise<void> => {
    await provider.stop();
    await removeData();
  };
  try {
    await Promise.all(
      HANDLERS.map(async (name) => {
        const { code, stderr } = await workswap(['publish', join('handlers', name), '--data', data]);
        if (code !== 0) throw new Error(`workswap publish handlers/${name} failed: ${stderr}`);
      }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const { admin = '', gateway = '', addrs } = provider;
  project.provide('scene', { admin, gateway, addrs });
  return stop;
}
