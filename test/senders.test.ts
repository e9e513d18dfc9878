import { multiaddr } from '@multiformats/multiaddr';
import { expect, it } from 'vitest';
import { SERVICES_LIMITS } from '../provider/services/limits.ts';
import { DelegatedNames, NameResolver, NameStore } from '../provider/services/names/index.ts';
import { PeersSource } from '../provider/services/names/peers-source.ts';
import { makePublication } from '../provider/services/index.ts';
import { Senders } from '../provider/services/senders.ts';
import { openDatabase } from '../provider/store/index.ts';
import { openDescriptor } from '../sdk/protocol/index.ts';
import { consumer, provider } from './fixtures.ts';
import { delegatedRouter } from './name-servers.ts';
import { maintain, never } from './service-scene.ts';

it('who was an endpoint once speaks for the service no more where anybody who is asked knows the newer record', async () => {
  const former = await provider({ config: { services: { host: 'anyone' } } });
  const maintainer = await consumer();
  const { key, handler, publication } = await maintain(maintainer, [former]);
  const { name } = publication;
  const newer = await makePublication(key, { handler, endpoints: [] }, 2);
  const recipient = await consumer();
  await recipient.libp2p.dial(former.addrs.map((addr) => multiaddr(addr)));
  const { url, records } = await delegatedRouter();
  const { libp2p, bitswap } = recipient;
  /** As a provider that has been asked nothing yet. */
  const check = (): Promise<void> => {
    const limits = SERVICES_LIMITS;
    const names = new NameStore(openDatabase(':memory:'), 10);
    const resolver = new NameResolver(names, [new PeersSource(libp2p, [], limits), new DelegatedNames(url)], limits);
    const getBlock = (cid: Parameters<typeof bitswap.get>[0]) => bitswap.get(cid, { signal: never });
    return new Senders({ libp2p, names, resolver, getBlock, limits }).check(name, former.peerId, never);
  };
  await check();
  records.set(name, Buffer.from(newer.record));
  const { cid, bytes } = await openDescriptor(newer.descriptor);
  await recipient.blocks.put(cid, bytes);
  await expect(check()).rejects.toThrow('its maintainer names other endpoints');
});
