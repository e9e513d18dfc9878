import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type Gateway } from '../../provider/gateway/index.ts';
import { createProvider, type Provider } from '../../provider/provider.ts';
import { goVersion } from './go-program.ts';
import { Kubo } from './kubo.ts';

/** Goal: Kubo pins here with nothing but a URL and a token, as its users do. Method: its own commands, on loopback. */
describe.skipIf(goVersion === undefined)('ipfs pin remote', () => {
  let kubo: Kubo;
  let host: Provider;
  let gateway: Gateway;

  beforeAll(async () => {
    kubo = await Kubo.start();
    // Kubo names its loopback address as origin, which is dialled only when the configuration says so.
    host = await createProvider({
      config: { node: { listen: ['/ip4/127.0.0.1/tcp/0'] }, pinning: { privateOrigins: true } },
    });
    gateway = await startGateway(host, { listen: '127.0.0.1:0' });
    const { token } = host.pinning.createToken(host.peerId.toString(), { device: 'kubo' });
    await kubo.run('pin', 'remote', 'service', 'add', 'workswap', `${gateway.url}/psa`, token);
  }, 600_000);

  afterAll(async () => {
    await gateway?.stop();
    await host?.stop();
    await kubo?.stop();
  });

  const list = async (...args: string[]): Promise<string> =>
    (await kubo.run('pin', 'remote', 'ls', '--service=workswap', ...args)).toString();

  it('adds a file and waits until all of it is here, lists it by name, CID and status, and removes it', async () => {
    const content = randomBytes(3_000_000);
    const cid = await kubo.add(content, '--cid-version=1');
    const added = await kubo.run('pin', 'remote', 'add', '--service=workswap', '--name=holiday', cid);
    expect(added.toString()).toContain('pinned');
    const [pin] = host.pinning.list(host.peerId.toString(), { statuses: ['pinned'] }).pins;
    expect(pin).toMatchObject({ cid, name: 'holiday', status: 'pinned' });
    expect(pin!.bytes).toBeGreaterThan(content.length);
    expect(await list()).toContain(cid);
    expect(await list('--name=holiday')).toContain(cid);
    expect(await list('--name=other')).toBe('');
    expect(await list(`--cid=${cid}`)).toContain('holiday');
    expect(await list('--status=queued,pinning,failed')).toBe('');
    expect(await list('--status=queued,pinning,pinned,failed')).toContain(cid);
    await kubo.run('pin', 'remote', 'rm', '--service=workswap', '--name=holiday');
    expect(await list('--status=queued,pinning,pinned,failed')).toBe('');
  });

  it('adds a directory with a CIDv0 root in the background, and service ls --stat counts it', async () => {
    const cid = await kubo.add(randomBytes(700_000), '--wrap-with-directory');
    expect(cid).toMatch(/^Qm/);
    await kubo.run('pin', 'remote', 'add', '--service=workswap', '--background', '--name=folder', cid);
    await expect.poll(() => list(`--cid=${cid}`), { timeout: 60_000 }).toContain('pinned');
    const stat = JSON.parse((await kubo.run('pin', 'remote', 'service', 'ls', '--stat', '--enc=json')).toString());
    expect(stat.RemoteServices[0].Stat).toMatchObject({ Status: 'valid', PinCount: { Pinned: 1, Failed: 0 } });
  });

  it('is told why a pin failed, and that a token is not valid any more', async () => {
    const owner = host.peerId.toString();
    const lost = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
    await kubo.run('pin', 'remote', 'add', '--service=workswap', '--background', '--name=lost', lost);
    expect(await list('--status=queued,pinning')).toContain(lost);
    await kubo.run('pin', 'remote', 'rm', '--service=workswap', '--status=queued,pinning', '--name=lost');
    for (const { id } of host.pinning.tokens.list(owner)) host.pinning.tokens.revoke(owner, id);
    await expect(list()).rejects.toThrow(/UNAUTHORIZED|401/);
  });
});
