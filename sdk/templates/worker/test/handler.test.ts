import { afterAll, expect, it } from 'vitest';
import { rawCid } from 'workswap/protocol';
import { testHandler } from 'workswap/testing';

const block = new TextEncoder().encode('one\ntwo\nthree\n');
const site = await testHandler('assembly/index.ts', { blocks: [block] });
afterAll(() => site.close());

it('counts the lines of an IPFS file', async () => {
  expect((await site.get(`/?cid=${rawCid(block).toString()}`)).json()).toEqual({ bytes: 14, lines: 3 });
});

it('counts and hashes what is posted', async () => {
  expect((await site.post('/', 'abc')).json()).toEqual({
    bytes: 3,
    lines: 0,
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  });
});

it('says what is wrong with a CID', async () => {
  expect((await site.get('/?cid=nonsense')).status).toBe(400);
});
