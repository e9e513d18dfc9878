import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CID } from 'multiformats/cid';
import { verify, type Client } from '../../provider/client.ts';
import type { Consumer } from '../../provider/consumer.ts';
import { importPath } from '../../provider/maintainer/index.ts';
import { consumer, directory, provider } from '../fixtures.ts';
import { workswap } from '../processes.ts';
import { maintain, type Maintained } from '../service-scene.ts';
import { LANGUAGES } from './wasi-programs.ts';

/**
 * Goal: an ordinary program that keeps a file is a service with a state. Method: the compilers of three languages build
 * the same guestbook; it runs on a real provider, asked over libp2p, and what it did is verified by running it again.
 */
interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
  verified: boolean;
}

type Ask = (method: string, body?: string) => Promise<Answer>;

function asker(visitor: Consumer, client: Client, { handler, publication }: Maintained): Ask {
  return async (method, body = '') => {
    const task = client.prepare(handler, { method, path: '/', body }, {}, { service: publication.name });
    const response = await client.run(task);
    const text = Buffer.from(await response.bytes()).toString();
    const sealed = await response.receipt;
    await visitor.keepEvidence(client, task, sealed);
    const { verified } = await verify(sealed, visitor);
    return { status: response.status, headers: response.headers, text, verified };
  };
}

/** As a file: a module of three megabytes is no single block. */
async function publish({ blockstore }: Consumer, wasm: Uint8Array): Promise<CID> {
  const file = join(await directory(), 'guestbook.wasm');
  await writeFile(file, wasm);
  const cid = await importPath(file, blockstore);
  if (cid === undefined) throw new Error('The compiler made an empty module.');
  return cid;
}

describe.each(LANGUAGES)('a guestbook in $name', ({ missing, build }) => {
  const reason = missing === undefined ? '' : ` (${missing})`;
  let wasm: Uint8Array;
  beforeAll(async () => {
    if (missing === undefined) wasm = await build('guestbook');
  });

  test.skipIf(missing !== undefined)(`is a service: signed, read, archived, and verified${reason}`, async () => {
    const host = await provider({ config: { services: { host: 'anyone' } } });
    const maintainer = await consumer();
    const visitor = await consumer();
    const service = await maintain(maintainer, [host], { handler: await publish(maintainer, wasm) });
    const ask = asker(visitor, await visitor.connect(host.addrs), service);
    const verified = true;
    expect(await ask('GET')).toMatchObject({ status: 200, text: '<ul></ul>', verified });
    expect(await ask('POST', 'Ada & Bob')).toMatchObject({ status: 303, headers: { location: '/' }, verified });
    expect(await ask('POST', '<Eve')).toMatchObject({ status: 303, verified });
    const text = '<ul><li>Ada &amp; Bob</li><li>&lt;Eve</li></ul><p>/book/entries.txt: 15</p>';
    expect(await ask('GET')).toMatchObject({ text, verified });
    expect(await ask('DELETE')).toMatchObject({ status: 204, verified });
    expect(await ask('GET')).toMatchObject({ text: '<ul></ul><p>/archive/entries.txt: 15</p>', verified });
  });

  test.skipIf(missing !== undefined)(`runs without a state too, and says what it cannot do then${reason}`, async () => {
    const file = join(await directory(), 'guestbook.wasm');
    await writeFile(file, wasm);
    const shown = await workswap(['run', file]);
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout.toString()).toBe('<ul></ul>');
    const signed = await workswap(['run', file, '--method', 'POST', '--data', 'Ada', '--json']);
    expect(signed.code).toBe(4);
    expect(signed.stderr).toMatch(/HANDLER_FAILED.*[Rr]ead-only/s);
  });

  test.skipIf(missing !== undefined)(`is a job like any other, without a service${reason}`, async () => {
    const host = await provider();
    const asking = await consumer();
    const client = await asking.connect(host.addrs);
    const answer = await client.call(await publish(asking, wasm), { path: '/' });
    expect(Buffer.from(await answer.bytes()).toString()).toBe('<ul></ul>');
    expect((await answer.receipt).receipt.state).toBeUndefined();
  });
});
