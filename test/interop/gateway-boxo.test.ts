import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CarReader } from '@ipld/car';
import * as dagCbor from '@ipld/dag-cbor';
import { BlockUnavailableError } from '../../provider/bitswap/errors.ts';
import { MemoryBlockstore } from 'blockstore-core';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGateway, type Gateway } from '../../provider/gateway/index.ts';
import { addFiles, ask, type Reply } from '../gateway-scene.ts';
import type { BlockPeer } from './block-peer.ts';
import { startBoxo } from './boxo.ts';
import { differences, WANTED } from './gateway-differences.ts';
import { requests, type Sent } from './gateway-requests.ts';
import { goMissing, goVersion } from './go-program.ts';

/** Goal: who moves from boxo's gateway to ours sees no difference that we did not want. Method: both have the same blocks. */

const FIXTURES = {
  files: 'fixtures.car',
  names: 'dir-with-tricky-filenames.car',
  special: 'dir-special-chars.car',
  hamt: 'directory-with-multilayer-hamt-and-multiblock-files.car',
  many: 'headers-test.car',
  query: 'redirects-query-params.car',
  spa: 'redirects-spa.car',
  dated: 'unixfs-dir-with-mode-mtime.car',
  nodes: 'path_gateway_dag/dag-cbor-traversal.car',
};

const RULES = `/moved /subdir/fnord 301
/301/* /subdir/fnord?from=:splat 301
/302/:x /subdir/fnord 302
/303/:x /subdir/:x 303
/307/:x /subdir/fnord 307
/308/:x /subdir/fnord 308
/posts/:year/:month/:title /blog/:title?y=:year&m=:month 301
/pages/* /p/:splat
/away/* https://example.com/:splat 302
/gone/* /410.html 410
/law/* /451.html 451
/lost/* /404.html 404
/page/:name /subdir/:name 200
`;

/** A stream that cannot go on ends without its end. */
const BROKEN_OFF: Reply = { status: 0, headers: {}, trailers: {}, body: Buffer.of(), text: '' };

describe.skipIf(goVersion === undefined)(
  `the gateway beside boxo's${goVersion === undefined ? `: ${goMissing}` : ''}`,
  () => {
    let boxo: BlockPeer;
    let gateway: Gateway;
    let port: number;
    const cids: Record<string, string> = {};

    beforeAll(async () => {
      boxo = await startBoxo();
      const store = new MemoryBlockstore();
      const module = join(import.meta.dirname, 'boxo-peer');
      const boxoDirectory = execFileSync('go', ['list', '-m', '-f', '{{.Dir}}', 'github.com/ipfs/boxo'], {
        cwd: module,
      });
      for (const [name, file] of Object.entries(FIXTURES)) {
        const path = join(boxoDirectory.toString().trim(), 'gateway/testdata', file);
        const car = await CarReader.fromBytes(await readFile(path));
        for await (const { cid, bytes } of car.blocks()) store.put(cid, bytes);
        cids[name] = String((await car.getRoots())[0]);
      }
      const put = (code: number, bytes: Uint8Array): string => {
        const cid = CID.createV1(code, Digest.create(0x12, createHash('sha256').update(bytes).digest()));
        store.put(cid, bytes);
        return cid.toString();
      };
      const long = new Uint8Array(10_000).map((_, i) => (i * 7) >> 3);
      cids['chunked'] = String(await addFiles(store, { 'long.bin': long }, { chunkSize: 1000 }));
      cids['rules'] = String(
        await addFiles(store, {
          _redirects: RULES,
          'subdir/fnord': 'fnord',
          '404.html': '<p>404',
          '410.html': '<p>410',
          '451.html': '<p>451',
        }),
      );
      cids['badRules'] = String(await addFiles(store, { _redirects: '/a /b 301!', a: 'b' }));
      cids['cbor'] = put(0x71, dagCbor.encode({ files: { here: CID.parse(cids['files']!) }, n: 1 }));
      cids['json'] = put(0x0200, Buffer.from('{"a":1}'));
      cids['dagJson'] = put(0x0129, Buffer.from('{"a":1}'));
      cids['plain'] = 'bafkreieg3wbzdyd6ftkd6poqqoehjzikm37xzmuuyfqgvl5xwznusysdom';
      cids['missing'] = 'bafkreif3sxaocvbdwpnjsldmrpjvwzlvhrzhxjj4lzjv5d2gnwfg2byq3y';
      for await (const { cid, bytes } of store.getAll()) await boxo.put(cid, await joined(bytes));
      port = await boxo.gateway();
      gateway = await createGateway({
        config: { listen: '127.0.0.1:0', requestsBurst: 1_000_000 },
        getBlock: async (cid) => {
          if (await store.has(cid)) return joined(store.get(cid));
          throw new BlockUnavailableError(cid, 'it is not here');
        },
        hasBlock: async (cid) => store.has(cid),
      });
    });

    afterAll(async () => {
      await gateway?.stop();
      await boxo?.stop();
    });

    test('the same answers to the same requests, but for what is listed with a reason', async () => {
      const unlisted: string[] = [];
      const seen = new Set<string>();
      for (const sent of requests(cids)) {
        const [own, theirs] = await Promise.all([send(gateway.port, sent), send(port, sent)]);
        for (const difference of await differences({ sent, own, theirs })) {
          const wanted = WANTED.find(([what]) => what.test(difference));
          if (wanted === undefined) unlisted.push(difference);
          else seen.add(wanted[1]);
        }
      }
      expect(unlisted.join('\n')).toBe('');
      expect(WANTED.map(([, reason]) => reason).filter((reason) => !seen.has(reason))).toEqual([]);
    });

    function send(to: number, { path, method = 'GET', headers = {}, host = '127.0.0.1' }: Sent): Promise<Reply> {
      return ask({ port: to }, path, { method, headers, host: `${host}:${to}` }).catch(() => BROKEN_OFF);
    }
  },
);

async function joined(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}
