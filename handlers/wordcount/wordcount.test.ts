import { describe, expect, it } from 'vitest';
import { rawCid } from '../../sdk/protocol/index.ts';
import { runHandler } from '../../test/run-handler.ts';

async function count(file: Uint8Array): Promise<unknown> {
  const cid = rawCid(file);
  const { body } = await runHandler(
    'wordcount',
    { path: `/?cid=${cid.toString()}` },
    new Map([[cid.toString(), file]]),
  );
  return JSON.parse(Buffer.from(body).toString());
}

describe('wordcount', () => {
  it('counts as wc does', async () => {
    expect(await count(new TextEncoder().encode('eins zwei\n\tdrei  für\n'))).toEqual({
      lines: 2,
      words: 4,
      bytes: 22,
    });
    expect(await count(new Uint8Array())).toEqual({ lines: 0, words: 0, bytes: 0 });
  });

  it('counts a word once that lies across two chunks', async () => {
    expect(await count(new Uint8Array(600_000).fill(0x61))).toEqual({ lines: 0, words: 1, bytes: 600_000 });
  });

  it('asks for a file when it was given none', async () => {
    for (const path of ['/', '/?cid=', '/?cid=nonsense'])
      expect((await runHandler('wordcount', { path })).status).toBe(400);
  });
});
