import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CID } from 'multiformats/cid';
import { importPath, Maintainer } from '../../provider/maintainer/index.ts';
import { rawCid } from '../../sdk/protocol/index.ts';
import { startProvider, type ProviderProcess } from '../../test/processes.ts';
import type { Contender } from './contender.ts';

/**
 * One visitor asks for more than a stranger may: its limits are out of the way. They are looked at for every request all
 * the same.
 */
const CONFIG = `[gateway]
requestsPerSecond = 1_000_000
requestsBurst = 1_000_000
visitorLineBytes = ${2 ** 40}
visitorRefreshBytesPerSecond = ${2 ** 40}
visitorPoolBytes = ${2 ** 40}
visitorPoolRefreshBytesPerSecond = ${2 ** 40}
`;

export interface Published {
  /** The service's IPNS name. */
  name: string;
  site: CID | undefined;
}

/** A provider with its gateway, as `workswap provider --gateway` starts it, and its maintainer. */
export interface Host {
  provider: ProviderProcess;
  port: number;
  /** What `workswap service create` does, from opening the keys to the endpoint's acceptance. */
  publish(short: string, wasm: Uint8Array, site?: string): Promise<Published>;
  contender(service: Published): Contender;
  stop(): Promise<void>;
}

export async function startHost(directory: string): Promise<Host> {
  const config = join(directory, 'workswap.toml');
  await writeFile(config, CONFIG);
  const data = join(directory, 'provider');
  const provider = await startProvider({ data, config, args: ['--gateway', '127.0.0.1:0'] });
  const port = Number(new URL(provider.gateway!).port);
  return {
    provider,
    port,
    async publish(short, wasm, path) {
      const maintainer = await Maintainer.open({ dataDir: data });
      try {
        const { blockstore } = maintainer.node;
        const handler = rawCid(wasm);
        await blockstore.put(handler, wasm);
        const site = path === undefined ? undefined : await importPath(path, blockstore);
        const changes = { handler, site };
        const { publication } = await maintainer.create(short, changes, AbortSignal.timeout(60_000));
        return { name: publication.name, site };
      } finally {
        await maintainer.close();
      }
    },
    contender: ({ name }) => ({ name: 'gateway', port, host: `${name}.localhost:${port}`, stop: async () => {} }),
    stop: async () => void (await provider.stop()),
  };
}
