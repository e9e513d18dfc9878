import { describe, expect, it } from 'vitest';
import { consumer, provider } from './fixtures.ts';
import { maintain, post, read } from './service-scene.ts';

const open = { services: { host: 'anyone' as const } };

describe('two consumers of one service', () => {
  it('find it by its name through a peer, write and read one state, and each is told apart', async () => {
    const host = await provider({ config: open });
    const { publication } = await maintain(await consumer(), [host]);
    const routing = { bootstrap: host.addrs, privateAddresses: true };
    const ada = await consumer({ routing });
    const bob = await consumer({ routing });
    const first = await post(ada, publication.name, 'from Ada');
    const second = await post(bob, publication.name, 'from Bob');
    expect(first.commit).toBeDefined();
    expect(await read(ada, publication.name)).toBe(`for ${ada.libp2p.peerId.toString()}\nfrom Ada\nfrom Bob\n`);
    expect(await read(bob, publication.name)).toContain(`for ${bob.libp2p.peerId.toString()}`);
    const history = await host.services.history(publication.name);
    expect(history.map(({ tasks }) => tasks.map(String))).toEqual([[String(second.task)], [String(first.task)]]);
    expect(host.scoreLedger.getAccount(ada.libp2p.peerId).workSent).toBeGreaterThan(0);
  });
});
