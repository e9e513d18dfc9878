import { identity } from 'multiformats/hashes/identity';
import { CID } from 'multiformats/cid';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModule, Outcome } from '../../provider/sandbox/index.ts';
import { rawCid } from '../../sdk/protocol/index.ts';
import { decodeLossy } from '../../test/lossy-utf8.ts';
import { loadHandler, runInThread, textOf } from '../../test/run-in-thread.ts';

let wordcount: LoadedModule;

beforeAll(async () => {
  wordcount = await loadHandler('wordcount');
});

interface Figures {
  lines: number;
  words: number;
  characters: number;
  bytes: number;
  distinct?: number;
  distinctAtLeast?: number;
  top?: { word: string; count: number }[];
}

function ask(file: Uint8Array | string, query = ''): Outcome {
  const bytes = typeof file === 'string' ? new TextEncoder().encode(file) : file;
  const cid = rawCid(bytes);
  const files = new Map([[Buffer.from(cid.bytes).toString('hex'), bytes]]);
  return runInThread(wordcount, { path: `/?cid=${cid.toString()}${query}` }, { files });
}

function count(file: Uint8Array | string, query = ''): Figures {
  const outcome = ask(file, query);
  expect(outcome).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
  return JSON.parse(textOf(outcome)) as Figures;
}

/** The same, counted by other means. */
function expected(file: Uint8Array): Omit<Figures, 'top' | 'distinct'> {
  const text = decodeLossy(file);
  return {
    lines: text.split('\n').length - 1,
    words: text.split(/\p{White_Space}+/u).filter((word) => word !== '').length,
    characters: [...text].length,
    bytes: file.length,
  };
}

describe('wordcount', () => {
  it('counts lines, words, characters and bytes as wc does', () => {
    expect(count('eins zwei\n\tdrei  für\n', '&top=0')).toEqual({ lines: 2, words: 4, characters: 21, bytes: 22 });
    expect(count('', '&top=0')).toEqual({ lines: 0, words: 0, characters: 0, bytes: 0 });
  });

  it('lists the most frequent words, whatever their capitals and the punctuation around them', () => {
    const text = '“Über den Wolken”, sagte er. ÜBER DEN WOLKEN? (Über) Ελλάδα ελλάδα — Да, да! x';
    expect(count(text, '&top=5')).toMatchObject({
      distinct: 8,
      top: [
        { word: 'über', count: 3 },
        { word: 'den', count: 2 },
        { word: 'wolken', count: 2 },
        { word: 'ελλάδα', count: 2 },
        { word: 'да', count: 2 },
      ],
    });
    expect(count(text, '&top=1').top).toEqual([{ word: 'über', count: 3 }]);
  });

  it('counts any bytes right, however they are cut into chunks', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 100 }).map((text) => new TextEncoder().encode(text)),
      fc
        .array(fc.constantFrom(0x20, 0x0a, 0x61, 0xc3, 0xa4, 0xe2, 0x80, 0x83, 0xf0, 0x9f, 0xff), { maxLength: 60 })
        .map((codes) => Uint8Array.from(codes)),
    );
    fc.assert(
      fc.property(bytes, (file) => {
        expect(count(file, '&top=0')).toEqual(expected(file));
        expect(count(file)).toMatchObject(expected(file));
      }),
    );
    // The handler reads 256 KiB at a time: put every kind of character across that border.
    const text = new TextEncoder().encode('für €uro 🙂 ');
    for (let shift = 0; shift < text.length; shift++) {
      const file = new Uint8Array(256 * 1024 - shift + text.length).fill(0x61);
      file.set(text, file.length - text.length);
      expect(count(file, '&top=0')).toEqual(expected(file));
    }
  });

  it('counts a word once that lies across two chunks', () => {
    expect(count(new Uint8Array(600_000).fill(0x61))).toMatchObject({ lines: 0, words: 1, distinct: 0, top: [] });
    const twice = `${'x '.repeat(131_069)}border border`;
    expect(count(twice).top).toEqual([
      { word: 'x', count: 131_069 },
      { word: 'border', count: 2 },
    ]);
  });

  it('counts words like a map does, up to its limit, and says when it stopped', () => {
    const words = Array.from({ length: 60_000 }, (_, i) => `w${(i * 7919) % 45_000}`);
    const counts = new Map<string, number>();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    const top = [...counts].sort(([, a], [, b]) => b - a).slice(0, 100);
    expect(count(words.join(' '), '&top=100')).toMatchObject({
      distinct: counts.size,
      top: top.map(([word, count]) => ({ word, count })),
    });
    const many = Array.from({ length: 50_001 }, (_, i) => `w${i}`).join('\n');
    expect(count(many)).toMatchObject({ words: 50_001, distinctAtLeast: 50_000 });
  });

  it('answers text for people', () => {
    const outcome = ask('to be or not to be\n', '&top=2&format=text');
    expect(outcome.headers).toEqual({ 'content-type': 'text/plain; charset=utf-8' });
    expect(textOf(outcome)).toBe('1 lines\n6 words\n19 characters\n19 bytes\n4 distinct words\n2 to\n2 be\n');
  });

  it('keeps its memory however large the file is', () => {
    const small = ask(new Uint8Array(300_000).fill(0x20)).memoryPagesPeak;
    expect(ask(new Uint8Array(3_000_000).fill(0x20)).memoryPagesPeak).toBe(small);
  });

  it('says what is wrong with a parameter', () => {
    for (const query of ['', 'cid=', 'cid=nonsense', 'cid=Qmxyz', 'cid=bafy']) {
      const outcome = runInThread(wordcount, { path: `/?${query}` });
      expect([outcome.status, textOf(outcome)]).toEqual([400, expect.stringMatching(/^cid must name a file/)]);
    }
    for (const query of ['&top=101', '&top=-1', '&top=1.5', '&top=', '&format=xml']) {
      expect(ask('a', query)).toMatchObject({ status: 400 });
    }
  });

  it('reads a file whose bytes are in the CID itself', () => {
    const bytes = new TextEncoder().encode('two words');
    const cid = CID.createV1(0x55, identity.digest(bytes));
    const files = new Map([[Buffer.from(cid.bytes).toString('hex'), bytes]]);
    const outcome = runInThread(wordcount, { path: `/?top=0&cid=${cid.toString()}` }, { files });
    expect(JSON.parse(textOf(outcome))).toMatchObject({ words: 2 });
  });
});
