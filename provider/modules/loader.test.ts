import { MemoryBlockstore } from 'blockstore-core';
import { importer } from 'ipfs-unixfs-importer';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { afterEach, describe, expect, test } from 'vitest';
import { rawCid } from '../../sdk/protocol/index.ts';
import { execute } from '../sandbox/index.ts';
import { handlerWat, jobOf, parseWat } from '../sandbox/testing/modules.ts';
import type { GetBlock } from '../store/index.ts';
import { ModuleError } from './errors.ts';
import { createModuleLoader } from './loader.ts';
import type { ModuleLoader, ModuleLoaderOptions } from './types.ts';

const hello = parseWat(handlerWat());
/** A valid handler of so many bytes, all of them in a data segment. */
function padded(size: number, mark = 0): Uint8Array {
  return parseWat(
    handlerWat({ memory: '100', fields: `(data (i32.const 4096) "${`\\${(mark % 16).toString(16)}1`.repeat(size)}")` }),
  );
}

const open: ModuleLoader[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((loader) => loader.close()));
});

interface World {
  loader: ModuleLoader;
  asked: string[];
  put(bytes: Uint8Array): CID;
}

/** A loader over blocks in memory that counts what it asks for. */
function world(options: Partial<ModuleLoaderOptions> = {}): World {
  const blocks = new Map<string, Uint8Array>();
  const asked: string[] = [];
  const getBlock: GetBlock = async (cid) => {
    asked.push(cid.toString());
    const block = blocks.get(cid.toString());
    if (block === undefined) throw new Error('nobody has it');
    return block;
  };
  const loader = createModuleLoader({ getBlock, ...options });
  open.push(loader);
  return {
    loader,
    asked,
    put: (bytes) => {
      const cid = rawCid(bytes);
      blocks.set(cid.toString(), bytes);
      return cid;
    },
  };
}

async function refusal(promise: Promise<unknown>): Promise<ModuleError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ModuleError);
  return error as ModuleError;
}

describe('a handler', () => {
  test('loads from a raw block and runs', async () => {
    const { loader, put } = world();
    const module = await loader.load(put(hello));
    expect(module).toMatchObject({ sizeBytes: hello.length, memoryPagesMin: 1, compiledNow: true });
    expect(execute(jobOf(module)).status).toBe(200);
  });

  test('loads from a UnixFS file of many blocks', async () => {
    const bytes = padded(700_000);
    const store = new MemoryBlockstore();
    let root: CID | undefined;
    for await (const entry of importer([{ content: bytes }], store, { rawLeaves: true })) root = entry.cid;
    const getBlock: GetBlock = async (cid) => {
      for await (const block of store.get(cid)) return block;
      throw new Error('missing');
    };
    const { loader } = world({ getBlock });
    expect(root?.code).toBe(0x70);
    const module = await loader.load(root as CID);
    expect(module.sizeBytes).toBe(bytes.length);
    expect(execute(jobOf(module)).status).toBe(200);
  });

  test('is fetched and compiled once, however many ask at once, and one of them pays', async () => {
    const { loader, put, asked } = world();
    const cid = put(hello);
    const modules = await Promise.all(Array.from({ length: 20 }, () => loader.load(cid)));
    expect(asked).toHaveLength(1);
    expect(loader.stats().compiled).toBe(1);
    expect(modules.filter(({ compiledNow }) => compiledNow === true)).toHaveLength(1);
    expect(new Set(modules.map(({ module }) => module)).size).toBe(1);
    expect((await loader.load(cid)).compiledNow).toBeUndefined();
  });

  test('is still loaded for the others when the first caller gives up', async () => {
    const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
    const { loader } = world({
      getBlock: async () => {
        await gate;
        return hello;
      },
    });
    const cid = rawCid(hello);
    const controller = new AbortController();
    const leaving = loader.load(cid, { signal: controller.signal });
    const staying = loader.load(cid);
    controller.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    openGate();
    expect(await staying).toMatchObject({ compiledNow: true });
  });

  test('is no longer fetched when all its callers have given up', async () => {
    const { promise: stopped, resolve } = Promise.withResolvers<void>();
    const { promise: fetching, resolve: fetchStarted } = Promise.withResolvers<void>();
    const { loader } = world({
      getBlock: (_, options) => {
        fetchStarted();
        options?.signal?.addEventListener('abort', () => resolve());
        return new Promise(() => {});
      },
    });
    const controller = new AbortController();
    const leaving = loader.load(rawCid(hello), { signal: controller.signal });
    await fetching;
    controller.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    await stopped;
  });

  test('has a size that is known before it is compiled, and is 0 afterwards', async () => {
    const { loader, put } = world();
    const cid = put(hello);
    expect(await loader.compileSize(cid)).toBe(hello.length);
    expect(loader.stats().compiled).toBe(0);
    await loader.load(cid);
    expect(await loader.compileSize(cid)).toBe(0);
  });

  test('that is large is compiled on another thread, with the same result', async () => {
    const { loader, put } = world();
    const module = await loader.load(put(padded(200_000)));
    expect(module.sizeBytes).toBeGreaterThan(200_000);
    expect(execute(jobOf(module)).status).toBe(200);
  });
});

describe('the cache', () => {
  test('that is large stays the block that it was, whatever kind of bytes the store has', async () => {
    const { loader, put } = world();
    const bytes = padded(100_000);
    const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const before = Uint8Array.from(block);
    await loader.load(put(block));
    expect(Buffer.compare(block, before)).toBe(0);
  });

  test('holds no more than its bytes, and what was used last', async () => {
    const { loader, put } = world({ cacheBytesMax: 100_000 });
    const cids = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((mark) => put(padded(100 + mark, mark)));
    const [first] = cids as [CID];
    for (const cid of cids) {
      await loader.load(cid);
      await loader.load(first);
      expect(loader.stats().cachedBytes).toBeLessThanOrEqual(100_000);
    }
    expect(loader.stats().compiled).toBe(cids.length);
    expect(await loader.load(first)).toMatchObject({ cid: first.toString() });
    expect(await loader.load(cids[1] as CID)).toMatchObject({ compiledNow: true });
  });
});

describe('what is no handler is refused', () => {
  test.each<[string, Uint8Array]>([
    ['NOT_WASM', new TextEncoder().encode('not a module, but long enough to look at')],
    ['INVALID_MODULE', hello.subarray(0, hello.length - 3)],
    [
      'FORBIDDEN_IMPORT',
      parseWat('(module (import "env" "abort" (func)) (memory (export "memory") 1) (func (export "handle")))'),
    ],
    [
      'FORBIDDEN_IMPORT',
      parseWat('(module (import "workswap" "__proto__" (func)) (memory (export "memory") 1) (func (export "handle")))'),
    ],
    [
      'FORBIDDEN_IMPORT',
      parseWat(
        '(module (import "workswap" "fail" (func (param i64))) (memory (export "memory") 1) (func (export "handle")))',
      ),
    ],
    ['MISSING_EXPORT', parseWat('(module (memory (export "memory") 1))')],
    ['MISSING_EXPORT', parseWat('(module (memory 1) (func (export "handle")))')],
    ['MISSING_EXPORT', parseWat('(module (memory (export "memory") 1) (func (export "handle") (param i32)))')],
    ['MISSING_EXPORT', parseWat('(module (memory (export "memory") 1) (global (export "handle") i32 (i32.const 1)))')],
    [
      'RESERVED_EXPORT',
      parseWat('(module (memory (export "memory") 1) (func (export "handle")) (func (export "workswap_fuel")))'),
    ],
  ])('with %s', async (code, bytes) => {
    const { loader, put } = world();
    const cid = put(bytes);
    const error = await refusal(loader.load(cid));
    expect(error).toMatchObject({
      code,
      fault: 'handler',
      retryable: false,
      cid: cid.toString(),
      sizeBytes: bytes.length,
    });
    // Looked at once: the next caller gets the same answer and owes nothing.
    expect(await refusal(loader.load(cid))).toMatchObject({ code, sizeBytes: 0 });
    expect(loader.stats()).toMatchObject({ compiled: 0, refused: 1 });
  });

  test('on the compile thread as well as here', async () => {
    const bytes = parseWat(
      `(module (import "env" "abort" (func)) (memory (export "memory") 10) (data (i32.const 0) "${'x'.repeat(100_000)}") (func (export "handle")))`,
    );
    const { loader, put } = world();
    expect(await refusal(loader.load(put(bytes)))).toMatchObject({ code: 'FORBIDDEN_IMPORT', sizeBytes: bytes.length });
  });

  test('when nobody has it, for now', async () => {
    const { loader, asked } = world();
    const error = await refusal(loader.load(rawCid(hello)));
    expect(error).toMatchObject({ code: 'HANDLER_NOT_FOUND', retryable: true, sizeBytes: 0 });
    await refusal(loader.load(rawCid(hello)));
    expect(asked).toHaveLength(2);
  });

  test('when it does not come in time', async () => {
    const { loader } = world({ getBlock: () => new Promise(() => {}), fetchTimeoutMs: 10 });
    expect(await refusal(loader.load(rawCid(hello)))).toMatchObject({ code: 'HANDLER_NOT_FOUND', retryable: true });
  });

  test('when its bytes are others than its CID says', async () => {
    const { loader } = world({ getBlock: async () => parseWat(handlerWat({ body: '(unreachable)' })) });
    expect(await refusal(loader.load(rawCid(hello)))).toMatchObject({ code: 'HANDLER_NOT_FOUND' });
  });

  test('when it is too large, as a block and as a file that lies about its size', async () => {
    const { loader, put } = world({ moduleBytesMax: 1000 });
    expect(await refusal(loader.load(put(padded(2000))))).toMatchObject({ code: 'MODULE_TOO_LARGE', fault: 'handler' });
    const { loader: files, asked } = await lyingFile();
    const error = await refusal(files.load(CID.parse(asked)));
    expect(['MODULE_TOO_LARGE', 'NOT_A_FILE']).toContain(error.code);
  });

  test('when it starts with more memory than any job here may have', async () => {
    const { loader, put } = world({ memoryPagesMax: 10 });
    expect(await refusal(loader.load(put(parseWat(handlerWat({ memory: '11' })))))).toMatchObject({
      code: 'MEMORY_LIMIT',
    });
  });

  test('when its CID names something that cannot be a module', async () => {
    const { loader, asked } = world();
    const cid = CID.createV1(0x71, Digest.create(0x12, new Uint8Array(32)));
    expect(await refusal(loader.load(cid))).toMatchObject({ code: 'UNSUPPORTED_CID', fault: 'consumer' });
    expect(asked).toHaveLength(0);
  });
});

/** A UnixFS file that says it has 100 bytes and holds thousands of links to one empty child after another. */
async function lyingFile(): Promise<{ loader: ModuleLoader; asked: string }> {
  const { encode } = await import('@ipld/dag-pb');
  const { UnixFS } = await import('ipfs-unixfs');
  const { hash } = await import('node:crypto');
  const blocks = new Map<string, Uint8Array>();
  const put = (bytes: Uint8Array): CID => {
    const cid = CID.createV1(0x70, Digest.create(0x12, hash('sha256', bytes, 'buffer')));
    blocks.set(cid.toString(), bytes);
    return cid;
  };
  const empty = new UnixFS({ type: 'file' });
  let child = put(encode({ Data: empty.marshal(), Links: [] }));
  for (let level = 0; level < 6; level++) {
    const node = new UnixFS({ type: 'file', blockSizes: Array.from({ length: 50 }, () => 2n) });
    child = put(
      encode({ Data: node.marshal(), Links: Array.from({ length: 50 }, () => ({ Name: '', Tsize: 2, Hash: child })) }),
    );
  }
  const { loader } = world({
    getBlock: async (cid) => {
      const block = blocks.get(cid.toString());
      if (block === undefined) throw new Error('missing');
      return block;
    },
    moduleBytesMax: 1_000_000,
  });
  return { loader, asked: child.toString() };
}
