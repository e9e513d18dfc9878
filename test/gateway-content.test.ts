import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CarReader } from '@ipld/car';
import * as dagCbor from '@ipld/dag-cbor';
import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import type { CID } from 'multiformats/cid';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { dagCborCid } from '../sdk/protocol/index.ts';
import { addFiles, ask, gatewayScene, type AskOptions, type Scene } from './gateway-scene.ts';

const LONG = new Uint8Array(10_000).map((_, i) => (i * 7) >> 3);
const IMMUTABLE = 'public, max-age=29030400, immutable';

let scene: Scene;
let root: CID;
let sharded: CID;
let chunked: CID;
beforeAll(async () => {
  scene = await gatewayScene();
  const { blocks } = scene.provider;
  root = await addFiles(blocks, {
    'a/b/hello.txt': 'hello',
    'a/b/ą ę.txt': 'ż',
    'index/index.html': '<p>index',
    'one.bin': LONG,
    _redirects:
      '/moved /a/b/hello.txt 302\n/page/:x/* /a/b/:x 200\n/away https://example.com/:splat\n/no/* /a/b/hello.txt 410\n',
  });
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`file-${i}.txt`, `content ${i}`]));
  sharded = await addFiles(blocks, many, { shardSplitThresholdBytes: 1 });
  chunked = await addFiles(blocks, { 'long.bin': LONG }, { chunkSize: 1000 });
});
afterAll(() => scene.stop());

const get = (path: string, options: AskOptions = {}) => ask(scene.gateway, path, options);

async function carBlocks(path: string): Promise<string[]> {
  const reply = await get(path);
  expect(reply.status).toBe(200);
  const cids: string[] = [];
  for await (const { cid } of (await CarReader.fromBytes(reply.body)).blocks()) cids.push(cid.toString());
  return cids;
}

async function cidOf(path: string): Promise<string> {
  return String((await get(path, { method: 'HEAD' })).headers['x-ipfs-roots'])
    .split(',')
    .at(-1)!;
}

describe('files and directories by path', () => {
  it('come with type, tag, roots and a cache time without end', async () => {
    const reply = await get(`/ipfs/${root}/a/b/hello.txt`);
    expect(reply.text).toBe('hello');
    expect(reply.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': IMMUTABLE,
      'x-ipfs-path': `/ipfs/${root}/a/b/hello.txt`,
      'access-control-allow-origin': '*',
    });
    expect(String(reply.headers['x-ipfs-roots']).split(',')).toHaveLength(4);
    const encoded = await get(`/ipfs/${root}/a/b/${encodeURIComponent('ą ę.txt')}`);
    expect(encoded.text).toBe('ż');
    expect((await get(`/ipfs/${root}/a/x`)).status).toBe(404);
    expect((await get('/ipfs/not-a-cid')).status).toBe(400);
  });

  it.each([
    ['bytes=0-9', 206, 'bytes 0-9/10000'],
    ['bytes=9990-', 206, 'bytes 9990-9999/10000'],
    ['bytes=-5', 206, 'bytes 9995-9999/10000'],
    ['bytes=1-2,5-6', 200, undefined],
    ['lines=1-2', 200, undefined],
    ['bytes=10000-', 416, 'bytes */10000'],
  ])('answer the range %s with %i', async (range, status, contentRange) => {
    const reply = await get(`/ipfs/${chunked}/long.bin`, { headers: { range } });
    expect([reply.status, reply.headers['content-range']]).toEqual([status, contentRange]);
    const [, start, end] = /bytes (\d+)-(\d+)/.exec(contentRange ?? '') ?? [];
    if (status !== 416)
      expect(reply.body).toEqual(Buffer.from(LONG.subarray(Number(start ?? 0), Number(end ?? 9999) + 1)));
  });

  it('are not sent again to whoever has them', async () => {
    const path = `/ipfs/${root}/a/b/hello.txt`;
    const { etag } = (await get(path)).headers;
    for (const tag of [etag!, `W/${etag}`, `"a", "b", ${etag}`, '*']) {
      expect((await get(path, { headers: { 'if-none-match': tag } })).status).toBe(304);
    }
    expect((await get(path, { headers: { 'if-none-match': '"a"' } })).status).toBe(200);
  });

  it('a directory: redirect to the slash, index.html under the tag of the directory, else a listing', async () => {
    const moved = await get(`/ipfs/${root}/a/b?x=1`);
    expect([moved.status, moved.headers.location]).toEqual([301, `/ipfs/${root}/a/b/?x=1`]);
    const index = await get(`/ipfs/${root}/index/`);
    expect(index.text).toBe('<p>index');
    expect(index.headers.etag).toBe(`"${await cidOf(`/ipfs/${root}/index/`)}"`);
    const listing = await get(`/ipfs/${root}/a/b/`);
    expect(listing.text).toContain('Index of');
    expect(listing.text).toContain(`/ipfs/${root}/a/b/%C4%85%20%C4%99.txt`);
    expect(listing.headers.etag).toMatch(/^"DirIndex-.*_CID-bafy/);
    expect(listing.headers['cache-control']).toBe('public, max-age=604800, stale-while-revalidate=2678400');
    const weak = { 'if-none-match': `W/${listing.headers.etag}` };
    expect((await get(`/ipfs/${root}/a/b/`, { headers: weak })).status).toBe(304);
  });

  it('a sharded directory finds every file, and lists all of them', async () => {
    for (const i of [0, 7, 150, 299]) expect((await get(`/ipfs/${sharded}/file-${i}.txt`)).text).toBe(`content ${i}`);
    expect((await get(`/ipfs/${sharded}/file-300.txt`)).status).toBe(404);
    const listing = (await get(`/ipfs/${sharded}/`)).text;
    for (let i = 0; i < 300; i++) expect(listing).toContain(`>file-${i}.txt<`);
  });

  it('filename and download decide how a browser keeps a file', async () => {
    const inline = await get(`/ipfs/${root}/one.bin?filename=${encodeURIComponent('testтест.pdf')}`);
    expect(inline.headers['content-disposition']).toBe(
      `inline; filename="test____.pdf"; filename*=UTF-8''test%D1%82%D0%B5%D1%81%D1%82.pdf`,
    );
    expect(inline.headers['content-type']).toBe('application/pdf');
    const saved = await get(`/ipfs/${root}/one.bin?download=true&filename=a.txt`);
    expect(saved.headers['content-disposition']).toBe('attachment; filename="a.txt"');
  });

  it('what is not here is a 412 to only-if-cached', async () => {
    const headers = { 'cache-control': 'only-if-cached' };
    expect((await get(`/ipfs/${root}/`, { headers })).status).toBe(200);
    const missing = 'QmYzfKSE55XCjD1MW128RfciAf2DViABhEiXfgVFMabSjN';
    expect((await get(`/ipfs/${missing}`, { headers })).status).toBe(412);
    expect((await get(`/ipfs/${missing}`, { headers, method: 'HEAD' })).status).toBe(412);
  });
});

describe('blocks', () => {
  it('come as they are; format beats Accept; nothing is converted', async () => {
    const raw = await get(`/ipfs/${root}?format=raw`, { headers: { accept: 'application/vnd.ipld.car' } });
    expect(raw.headers).toMatchObject({
      'content-type': 'application/vnd.ipld.raw',
      'content-disposition': `attachment; filename="${root}.bin"`,
      'x-content-type-options': 'nosniff',
      etag: `"${root}.raw"`,
    });
    expect(dagPb.decode(raw.body).Links.map(({ Name }) => Name)).toContain('a');
    const negotiated = await get(`/ipfs/${root}`, { headers: { accept: 'application/vnd.ipld.raw' } });
    expect(negotiated.headers['content-location']).toBe(`/ipfs/${root}?format=raw`);
    for (const format of ['dag-json', 'json', 'dag-cbor']) {
      expect((await get(`/ipfs/${root}?format=${format}`)).status).toBe(406);
    }
    expect((await get(`/ipfs/${root}?format=nonsense`)).status).toBe(400);
    const wish = await get(`/ipfs/${root}/a/b/hello.txt`, { headers: { accept: 'application/json' } });
    expect([wish.status, wish.text]).toEqual([200, 'hello']);
  });

  it('the probe: the empty inline block', async () => {
    expect((await get('/ipfs/bafkqaaa?format=raw')).body).toHaveLength(0);
    const car = await CarReader.fromBytes((await get('/ipfs/bafkqaaa?format=car')).body);
    expect(String((await car.getRoots())[0])).toBe('bafkqaaa');
    expect((await get('/ipfs/bafkqaaa', { method: 'HEAD' })).status).toBe(200);
  });

  it('DAG-CBOR is served in its own codec, and links in it can be followed', async () => {
    const bytes = dagCbor.encode({ files: { here: root }, n: 1 });
    const cid = dagCborCid(bytes);
    await scene.provider.blocks.put(cid, bytes);
    const reply = await get(`/ipfs/${cid}?format=dag-cbor`);
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/vnd.ipld.dag-cbor']);
    expect(dagCbor.decode(reply.body)).toMatchObject({ n: 1 });
    expect((await get(`/ipfs/${cid}/files/here/a/b/hello.txt`)).text).toBe('hello');
    expect((await get(`/ipfs/${cid}/files`)).status).toBe(501);
    expect((await get(`/ipfs/${cid}/nothing`)).status).toBe(404);
    expect(await carBlocks(`/ipfs/${cid}/files/here/a/b/hello.txt?format=car`)).toHaveLength(5);
  });
});

describe('CARs', () => {
  it('hold the blocks of the path, then what the scope asks for, depth first', async () => {
    const path = `/ipfs/${root}/a/b`;
    const roots = String((await get(`${path}/`, { method: 'HEAD' })).headers['x-ipfs-roots']).split(',');
    expect(await carBlocks(`${path}?format=car&dag-scope=block`)).toEqual(roots);
    expect(await carBlocks(`${path}?format=car&dag-scope=entity`)).toEqual(roots);
    const all = await carBlocks(`${path}?format=car`);
    expect(all.slice(0, 3)).toEqual(roots);
    expect(all).toHaveLength(5);
    const reply = await get(`${path}?format=car`);
    expect(reply.headers).toMatchObject({
      'content-type': 'application/vnd.ipld.car; version=1; order=dfs; dups=n',
      'accept-ranges': 'none',
    });
    expect(reply.headers['content-length']).toBeUndefined();
    const { etag } = reply.headers;
    expect((await get(`${path}?format=car`, { headers: { 'if-none-match': etag! } })).status).toBe(304);
    expect((await get(`${path}?format=car&dag-scope=block`)).headers.etag).not.toBe(etag);
  });

  it('of a sharded directory name its shards, not its files', async () => {
    const entity = await carBlocks(`/ipfs/${sharded}?format=car&dag-scope=entity`);
    expect(entity.length).toBeGreaterThan(10);
    expect(entity.every((cid) => cid.startsWith('bafy'))).toBe(true);
    const one = await carBlocks(`/ipfs/${sharded}/file-7.txt?format=car`);
    expect(one.length).toBeLessThan(5);
  });

  it.each([
    ['0:999', 1],
    ['0:1000', 2],
    ['2500:2600', 1],
    ['-1000:*', 1],
    ['-1:*', 1],
    ['500:-8500', 2],
    ['0:*', 10],
    ['20000:*', 0],
  ])("of the bytes %s have %i of the file's ten parts", async (bytes, parts) => {
    const blocks = await carBlocks(`/ipfs/${chunked}/long.bin?format=car&entity-bytes=${bytes}`);
    expect(blocks).toHaveLength(2 + parts);
  });

  it('send the same block once, or each time that it occurs', async () => {
    const zeros = await addFiles(scene.provider.blocks, { zero: new Uint8Array(5000) }, { chunkSize: 1000 });
    expect(await carBlocks(`/ipfs/${zeros}/zero?format=car`)).toHaveLength(3);
    expect(await carBlocks(`/ipfs/${zeros}/zero?format=car&car-dups=y`)).toHaveLength(7);
    const accept = 'application/vnd.ipld.car; order=foo, application/vnd.ipld.car; dups=y; q=0.5';
    const reply = await get(`/ipfs/${zeros}/zero`, { headers: { accept } });
    expect(reply.headers['content-type']).toContain('dups=y');
    expect((await get(`/ipfs/${zeros}?format=car&car-version=2`)).status).toBe(406);
    expect((await get(`/ipfs/${zeros}?format=car&dag-scope=some`)).status).toBe(400);
    expect((await get(`/ipfs/${zeros}?format=car&entity-bytes=9:1`)).status).toBe(400);
  });
});

describe('TARs', () => {
  it('unpack to the tree, with names of every kind', async () => {
    const long = `${'sub/'.repeat(40)}${'é'.repeat(60)}.txt`;
    const files = { 'a/b.txt': 'one', 'ą ę.txt': 'ż', [long]: 'deep', empty: '', 'big.bin': LONG };
    const tree = await addFiles(scene.provider.blocks, files, { chunkSize: 1000 });
    const reply = await get(`/ipfs/${tree}?format=tar`);
    expect(reply.headers).toMatchObject({
      'content-type': 'application/x-tar',
      'content-disposition': `attachment; filename="${tree}.tar"`,
      etag: `"${tree}.x-tar"`,
    });
    const directory = await mkdtemp(join(tmpdir(), 'workswap-tar-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    execFileSync('tar', ['-x', '-C', directory], { input: reply.body });
    for (const [name, content] of Object.entries(files)) {
      expect(await readFile(join(directory, tree.toString(), name))).toEqual(Buffer.from(content));
    }
    expect((await get(`/ipfs/${tree}/big.bin?format=tar`)).body.subarray(512, 10_512)).toEqual(Buffer.from(LONG));
    const back = await get(`/ipfs/${tree}`, {
      headers: { accept: 'application/x-tar', 'if-none-match': reply.headers.etag! },
    });
    expect(back.status).toBe(304);
  });
});

describe('IPNS names', () => {
  it('resolve to content with the time that the answer holds, and show their record', async () => {
    const page = await get(`/ipns/${scene.name}`);
    expect(page.status).toBe(200);
    expect(page.headers['cache-control']).toMatch(/^public, max-age=\d+$/);
    expect(page.headers['x-ipfs-path']).toBe(`/ipns/${scene.name}`);
    const record = await get(`/ipns/${scene.name}?format=ipns-record`);
    expect(record.headers).toMatchObject({
      'content-type': 'application/vnd.ipfs.ipns-record',
      'content-disposition': `attachment; filename="${scene.name}.ipns-record"`,
    });
    expect(record.body.length).toBeGreaterThan(100);
    expect((await get(`/ipns/${scene.name}/x?format=ipns-record`)).status).toBe(400);
    expect((await get(`/ipfs/${root}?format=ipns-record`)).status).toBe(400);
    expect((await get('/ipns/!!')).status).toBe(400);
  });
});

describe('hosts of their own', () => {
  const own = (path: string, options: AskOptions = {}) =>
    get(path, { host: `${root}.ipfs.localhost:${scene.gateway.port}`, ...options });

  it('are where paths of a name lead, with path and query kept', async () => {
    const main = `localhost:${scene.gateway.port}`;
    const moved = await get(`/ipfs/${root}/a%20b/c?x=1&y`, { host: main });
    expect([moved.status, moved.headers.location]).toEqual([301, `http://${root}.ipfs.${main}/a%20b/c?x=1&y`]);
    const old = await get('/ipfs/QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR', { host: main });
    expect(old.headers.location).toBe(
      `http://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi.ipfs.${main}/`,
    );
    const name = await get('/ipns/en.wikipedia-on-ipfs.org', { host: main });
    expect(name.headers.location).toBe(`http://en-wikipedia--on--ipfs-org.ipns.${main}/`);
    const peer = await get('/ipns/12D3KooWGPkbjZRP1T5XeDHMvbxq6aZeC2mEwUrxnMWqMDMhdsDD', { host: main });
    expect(peer.headers.location).toMatch(/^http:\/\/k51[a-z0-9]{59}\.ipns\.localhost/);
    const long = `bafkrgq${'a'.repeat(99)}`;
    expect((await get(`/ipfs/${long}`, { host: main })).status).toBe(400);
    const uri = await get(`/ipfs/?uri=${encodeURIComponent(`ipfs://${root}/a b?c=d`)}`, { host: main });
    expect([uri.status, uri.headers.location]).toEqual([301, `/ipfs/${root}/a%20b?c=d`]);
  });

  it('serve paths from their root, and know the redirects of the site', async () => {
    expect((await own('/a/b/hello.txt')).text).toBe('hello');
    expect((await own('/a/b')).headers.location).toBe('/a/b/');
    const moved = await own('/moved');
    expect([moved.status, moved.headers.location]).toEqual([302, '/a/b/hello.txt']);
    expect((await own('/page/hello.txt/x')).text).toBe('hello');
    const gone = await own('/no/x');
    expect([gone.status, gone.text, gone.headers['cache-control']]).toEqual([410, 'hello', IMMUTABLE]);
    expect((await own('/nothing')).status).toBe(404);
    // At a path of the main host rules would reach what others have there.
    expect((await get(`/ipfs/${root}/moved`)).status).toBe(404);
    expect((await get('/', { host: `not-a-cid.ipfs.localhost` })).status).toBe(400);
  });
});

describe('what strangers make of content', () => {
  const put = async (data: UnixFS, links: dagPb.PBLink[] = []): Promise<CID> => {
    const bytes = dagPb.encode({ Data: data.marshal(), Links: links });
    const { CID: Cid } = await import('multiformats/cid');
    const { sha256 } = await import('multiformats/hashes/sha2');
    const cid = Cid.createV1(dagPb.code, await sha256.digest(bytes));
    await scene.provider.blocks.put(cid, bytes);
    return cid;
  };

  it('a name with HTML in it is text in the listing', async () => {
    const name = '"><script>alert(1)</script>';
    const leaf = await put(new UnixFS({ type: 'file', data: new Uint8Array(1) }));
    const cid = await put(new UnixFS({ type: 'directory' }), [{ Name: name, Hash: leaf, Tsize: 1 }]);
    const { text, headers } = await get(`/ipfs/${cid}/`);
    expect(text).not.toContain('<script>');
    expect(text).toContain('&lt;script&gt;');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  });

  it('a symlink is its target as text, not followed', async () => {
    const cid = await put(new UnixFS({ type: 'symlink', data: Buffer.from('/etc/passwd') }));
    expect((await get(`/ipfs/${cid}`)).text).toBe('/etc/passwd');
  });

  it('shards nested without end, a fanout of nonsense and blocks that lie are errors of this request', async () => {
    let shard = await put(new UnixFS({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x22n }));
    for (let i = 0; i < 40; i++) {
      const links = Array.from({ length: 256 }, (_, slot) => {
        return { Name: slot.toString(16).toUpperCase().padStart(2, '0'), Hash: shard, Tsize: 1 };
      });
      shard = await put(new UnixFS({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x22n }), links);
    }
    expect((await get(`/ipfs/${shard}/x`)).status).toBe(500);
    // 256 to the power of 40 entries: the walk ends at its limit of blocks.
    expect((await get(`/ipfs/${shard}/`)).status).toBe(500);
    const odd = await put(new UnixFS({ type: 'hamt-sharded-directory', fanout: 3n, hashType: 0x22n }));
    expect((await get(`/ipfs/${odd}/x`)).status).toBe(500);
    const lying = await put(new UnixFS({ type: 'file', blockSizes: [5n] }), [{ Name: '', Hash: odd, Tsize: 1 }]);
    expect((await get(`/ipfs/${lying}`)).status).toBe(500);
  });

  it('a _redirects that is wrong or too large is said so', async () => {
    for (const [text, reason] of [
      ['/a /b 301!', 'forced redirects (or "shadowing") are not supported'],
      ['/a /b 700', 'unsupported redirect status'],
      ['/a', 'line 1'],
      ['#'.repeat(70_000), 'redirects file size cannot exceed'],
    ]) {
      const site = await addFiles(scene.provider.blocks, { _redirects: text!, x: '1' });
      const reply = await get('/not-found', { host: `${site}.ipfs.localhost` });
      expect(reply.status).toBe(500);
      expect(reply.text).toContain('could not parse _redirects:');
      expect(reply.text).toContain(reason);
      expect((await get('/x', { host: `${site}.ipfs.localhost` })).text).toBe('1');
    }
  });

  it('a service worker for a whole root is refused', async () => {
    const headers = { 'service-worker': 'script' };
    expect((await get(`/ipfs/${root}`, { headers })).status).toBe(400);
    expect((await get(`/ipfs/${root}/a/b/hello.txt`, { headers })).status).toBe(200);
  });
});
