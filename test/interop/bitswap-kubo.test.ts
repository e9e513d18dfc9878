import { multiaddr } from '@multiformats/multiaddr';
import { peerIdFromString } from '@libp2p/peer-id';
import { CID } from 'multiformats/cid';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { blocksWith, eventually, fetchFile, type OurPeer, startOurs } from './bitswap-scene.ts';
import { addFile, keyStream, makeBlocks, sha256Base64 } from './content.ts';
import { goMissing, goVersion } from './go-program.ts';
import { buildKubo, Kubo } from './kubo.ts';

if (goVersion === undefined) console.warn(goMissing);

const large = { size: 200_000_000, chunk: 256 * 1024 };
const tree = { size: 10_000 * 1024, chunk: 1024 };
const MIB = 1024 * 1024;

describe.skipIf(goVersion === undefined)('Kubo', () => {
  let kubo: Kubo;
  let ours: OurPeer;
  let seed = 100;

  beforeAll(async () => {
    await buildKubo();
    kubo = await Kubo.start();
  });
  afterAll(() => kubo.stop());
  beforeEach(async () => {
    seed++;
    ours = await startOurs();
    await connect();
  });
  afterEach(() => ours.stop());

  async function connect(): Promise<void> {
    await ours.libp2p.dial(multiaddr(kubo.addr));
    // Kubo learns from identify that we speak Bitswap.
    await eventually(async () =>
      (await kubo.run('swarm', 'peers', '--identify', '--enc=json')).includes('bitswap/1.2.0'),
    );
  }

  /** `ipfs bitswap ledger` and our account say the same. */
  async function agree(): Promise<void> {
    await eventually(async () => {
      const [mine, theirs] = [blocksWith(ours, kubo.peerId), await kubo.ledger(ours.id)];
      return mine.sent === theirs.recv && mine.recv === theirs.sent;
    });
  }

  test.for([
    { ...large, what: '200 MB', version: 1 as const },
    { ...tree, what: '10,000 small blocks', version: 0 as const },
  ])('fetches a file of $what from us, and the ledgers agree', async (shape) => {
    const { root, sha256 } = await addFile(ours.blockstore, { seed, ...shape });
    await kubo.run('pin', 'add', root.toString());
    expect(sha256Base64(await kubo.run('cat', root.toString()))).toBe(sha256);
    expect(blocksWith(ours, kubo.peerId).sent).toBeGreaterThan(shape.size);
    await agree();
  });

  test.for([
    { ...large, what: '200 MB', version: 0 as const },
    { ...tree, what: '10,000 small blocks', version: 1 as const },
  ])('serves us a file of $what, and the ledgers agree', async ({ size, chunk, version }) => {
    const content = keyStream(seed, 0, size);
    const root = await kubo.add(content, `--chunker=size-${chunk}`, `--cid-version=${version}`);
    expect(CID.parse(root).version).toBe(version);
    expect(await fetchFile(ours, root, peerIdFromString(kubo.peerId))).toBe(sha256Base64(content));
    expect(blocksWith(ours, kubo.peerId).recv).toBeGreaterThan(size);
    await agree();
  });

  test('blocks of 2 MiB go both ways', async () => {
    const [here, there] = makeBlocks({ seed, count: 2, size: 2 * MIB, version: 1, codec: 0x55 });
    await ours.blocks.put(here!.cid, here!.bytes);
    await kubo.runWith({ input: there!.bytes }, 'block', 'put', '--allow-big-block');
    expect(await ours.bitswap.get(there!.cid)).toHaveLength(2 * MIB);
    expect(await kubo.run('block', 'get', here!.cid.toString())).toHaveLength(2 * MIB);
    await agree();
  });

  test('wants of both sides outlive a reconnect, and a block that comes later is sent', async () => {
    const [here, there] = makeBlocks({ seed, count: 2, size: 5000, version: 1, codec: 0x55 });
    const mine = ours.bitswap.get(here!.cid);
    const theirs = kubo.run('block', 'get', there!.cid.toString());
    const wantsOfOurs = async (): Promise<string> =>
      (await kubo.run('bitswap', 'wantlist', '--peer', ours.id)).toString().trim();
    await eventually(async () => (await wantsOfOurs()) === here!.cid.toString());
    await eventually(() => ours.bitswap.wantlistOf(peerIdFromString(kubo.peerId)).length === 1);
    await kubo.run('swarm', 'disconnect', `/p2p/${ours.id}`);
    await eventually(() => ours.libp2p.getConnections().length === 0);
    await ours.blocks.put(there!.cid, there!.bytes);
    await kubo.runWith({ input: here!.bytes }, 'block', 'put');
    await connect();
    expect(await mine).toHaveLength(5000);
    expect(await theirs).toHaveLength(5000);
    await agree();
  });

  test('a want that it takes back is off our list', async () => {
    const [block] = makeBlocks({ seed, count: 1, size: 5000, version: 0, codec: 0x70 });
    const abort = new AbortController();
    const command = kubo.runWith({ signal: abort.signal }, 'block', 'get', block!.cid.toString());
    await eventually(() => ours.bitswap.wantlistOf(peerIdFromString(kubo.peerId)).length === 1);
    abort.abort();
    await command;
    await eventually(() => ours.bitswap.wantlistOf(peerIdFromString(kubo.peerId)).length === 0);
  });

  test('pins a tree of ours', async () => {
    const { root } = await addFile(ours.blockstore, { seed, size: 3 * MIB, chunk: 10_000, version: 1 });
    await kubo.run('pin', 'add', root.toString());
    expect((await kubo.run('pin', 'ls', '--type=recursive', root.toString())).toString()).toContain(root.toString());
    await agree();
  });
});
