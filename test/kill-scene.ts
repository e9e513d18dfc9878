import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import type { CID } from 'multiformats/cid';
import type { Client } from '../provider/client.ts';
import { hostAt, makePublication } from '../provider/services/index.ts';
import type { consumer } from './fixtures.ts';
import { startProvider } from './processes.ts';
import { never } from './service-scene.ts';

type Host = Awaited<ReturnType<typeof startProvider>>;

/** Starts a provider again and again, at the first time with a service of its own. */
export async function serviceHost(init: {
  data: string;
  config: string;
  caller: Awaited<ReturnType<typeof consumer>>;
  handler: CID;
}): Promise<() => Promise<{ host: Host; client: Client; service: string }>> {
  const { data, config, caller, handler } = init;
  const key = await generateKeyPair('Ed25519');
  let name: string | undefined;
  return async () => {
    const host = await startProvider({ data, config });
    const client = await caller.connect(host.addrs);
    if (name === undefined) {
      const endpoints = [{ peer: host.peerId, addrs: host.addrs }];
      const publication = await makePublication(key, { handler, endpoints }, 1);
      await caller.libp2p.dial(host.addrs.map((addr) => multiaddr(addr)));
      await hostAt(caller.libp2p, peerIdFromString(host.peerId), publication, key, { signal: never });
      ({ name } = publication);
    }
    return { host, client, service: name };
  };
}

/** Asks again and again, `depth` at a time, until so many were answered: then the provider is killed. */
export async function askUntilKilled(
  host: Host,
  { depth, killAt }: { depth: number; killAt: number },
  ask: () => Promise<unknown>,
): Promise<void> {
  let answered = 0;
  let killed: Promise<void> | undefined;
  const work = async (): Promise<void> => {
    while (killed === undefined) {
      await ask();
      answered += 1;
      if (answered >= killAt) killed ??= host.kill();
    }
  };
  await Promise.allSettled(Array.from({ length: depth }, work));
  await killed;
}
