import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import { CID } from 'multiformats/cid';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rawCid } from '../../sdk/protocol/index.ts';
import { openStates, type ServiceState, type States } from '../../provider/services/state/index.ts';
import { cidOfKey, keyOfCid, openDatabase, verifyDirectory } from '../../provider/store/index.ts';
import { eventually, type OurPeer, startOurs } from './bitswap-scene.ts';
import { goMissing, goVersion } from './go-program.ts';
import { buildKubo, Kubo } from './kubo.ts';

if (goVersion === undefined) console.warn(goMissing);

const MIB = 1024 * 1024;
type Files = Map<string, Uint8Array>;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function small(): Files {
  return new Map([
    ['index.html', text('<h1>hello</h1>')],
    ['empty', new Uint8Array(0)],
    ['posts/2026/ä first one.txt', text('one')],
    ['posts/2026/😀', text('two')],
    ['posts/2025/b', text('three')],
    ['media/exactly-one-chunk', new Uint8Array(MIB).fill(1)],
    ['media/large', new Uint8Array(3 * MIB + 5).map((_, i) => (i * 31) >> 8)],
  ]);
}

/** 10,000 in one directory, which are shards, some in directories that are not. */
function sharded(): Files {
  const files: Files = small();
  for (let i = 0; i < 10_000; i++) files.set(`entries/${String(i).padStart(10, '0')}`, text(`entry ${i}`));
  for (let i = 0; i < 50; i++) files.set(`entries/directory ${i}/file`, text(`file ${i}`));
  return files;
}

async function putFiles(state: ServiceState, files: Files): Promise<void> {
  const all = [...files];
  for (let from = 0; from < all.length; from += 2_000) {
    const written = new Map(all.slice(from, from + 2_000));
    await state.update(rawCid(text(`put ${from} ${all.length}`)), async () => ({ changes: { removed: [], written } }));
  }
}

async function filesIn(directory: string): Promise<Files> {
  const files: Files = new Map();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(directory.length + 1), await readFile(path));
  }
  return files;
}

function differences(a: Files, b: Files): string[] {
  const paths = new Set([...a.keys(), ...b.keys()]);
  return [...paths].filter(
    (path) => Buffer.compare(a.get(path) ?? text('absent'), b.get(path) ?? text('missing')) !== 0,
  );
}

/**
 * Goal: a service's state is ordinary IPFS content. Method: a real Kubo with the profile unixfs-v1-2025 gets state roots
 * from us over Bitswap as a user would, and adds the same files itself.
 */
describe.skipIf(goVersion === undefined)('a state and Kubo', () => {
  let kubo: Kubo;
  let ours: OurPeer;
  let states: States;
  let directory: string;
  const database = openDatabase(':memory:');

  beforeAll(async () => {
    await buildKubo();
    kubo = await Kubo.start('test,unixfs-v1-2025');
    ours = await startOurs();
    states = openStates({ database, blockstore: ours.blockstore, getBlock: (cid: CID) => ours.bitswap.get(cid) });
    await ours.libp2p.dial(multiaddr(kubo.addr));
    await eventually(async () =>
      (await kubo.run('swarm', 'peers', '--identify', '--enc=json')).includes('bitswap/1.2.0'),
    );
    directory = await mkdtemp(join(tmpdir(), 'state-kubo-'));
  });
  afterEach(() => rm(join(directory, 'files'), { recursive: true, force: true }));
  afterAll(async () => {
    await states.close();
    database.close();
    await ours.stop();
    await kubo.stop();
    await rm(directory, { recursive: true });
  });

  async function addDirectory(files: Files): Promise<string> {
    const target = join(directory, 'files');
    for (const [path, bytes] of files) {
      await mkdir(dirname(join(target, path)), { recursive: true });
      await writeFile(join(target, path), bytes);
    }
    return (await kubo.run('add', '--recursive', '--quieter', '--hidden', target)).toString().trim();
  }

  test.for([
    ['of a few files', small],
    ['of 10,000 files', sharded],
  ] as const)('%s: ipfs get has them all, equal, and ipfs add makes the same root', async ([name, make]) => {
    const files = make();
    const state = await states.open(`k51${name}`);
    await putFiles(state, files);
    const target = join(directory, 'got');
    // Fetches many blocks at once, where `get` waits for each file before it asks for the next.
    await kubo.run('pin', 'add', state.root.toString());
    await kubo.run('get', '--output', target, state.root.toString());
    expect(differences(files, await filesIn(target))).toEqual([]);
    await rm(target, { recursive: true });
    expect(await addDirectory(files)).toBe(state.root.toString());
  });

  test('what shrank again is what Kubo makes of the files that are left', async () => {
    const state = await states.open('k51shrunk');
    const files = sharded();
    await putFiles(state, files);
    const gone = [...files.keys()].filter((path) => path.startsWith('entries/') && path > 'entries/0000000100');
    await state.update(rawCid(text('shrink')), async () => ({ changes: { removed: gone, written: new Map() } }));
    for (const path of gone) files.delete(path);
    expect(await addDirectory(files)).toBe(state.root.toString());
  });

  test('a directory that Kubo added is a state, as strict as we are', async () => {
    const root = await addDirectory(small());
    const fetch = (key: string) => ours.bitswap.get(cidOfKey(key));
    await verifyDirectory(keyOfCid(CID.parse(root)), fetch, { nodesMax: 1_000, bytesMax: 100 * MIB });
  });
});
