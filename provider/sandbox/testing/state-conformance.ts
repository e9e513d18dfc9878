import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareNames } from '../abi/state-path.ts';
import type { StateEntry, StateView } from '../types.ts';

export type Files = ReadonlyMap<string, Uint8Array>;

/** Opens a view of exactly these files; it is closed after its test. */
export type OpenView = (files: Files) => Promise<{ view: StateView; close?: () => Promise<void> }>;

const never = new AbortController().signal;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const segment = fc.constantFrom('a', 'b', 'ab', 'a!', 'é', '\u{10000}', '\uffff', '0');
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const tree = fc
  .uniqueArray(fc.record({ path, text: fc.string({ maxLength: 8 }) }), { maxLength: 12, selector: (each) => each.path })
  .map((all) => all.filter((each) => !all.some((other) => each.path.startsWith(`${other.path}/`))))
  .map((all): Files => new Map(all.map((each) => [each.path, bytes(each.text)])));

/** What every view of a state must do, whoever keeps it: a handler must not notice the difference. */
export function testStateView(name: string, open: OpenView): void {
  async function withView(files: Files, use: (view: StateView) => Promise<void>): Promise<void> {
    const { view, close } = await open(files);
    try {
      await use(view);
    } finally {
      await close?.();
    }
  }

  test(`${name} answers what a map of its files says, for every path`, async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.array(path, { maxLength: 6 }), async (files, others) => {
        const above = [...files.keys()].flatMap((file) =>
          file.split('/').map((_, i, all) => all.slice(0, i).join('/')),
        );
        await withView(files, async (view) => {
          for (const at of new Set(['', ...files.keys(), ...above, ...others])) {
            const own = files.get(at);
            const entries = entriesOf(files, at);
            const isDirectory = at === '' || entries.length > 0;
            const kind = own === undefined ? (isDirectory ? 'directory' : undefined) : 'file';
            expect(await view.stat(at, never), at).toEqual(kind && { kind, size: own?.length ?? 0 });
            const content = await view.read(at, 0, 100, never);
            expect(content && Buffer.from(content), at).toEqual(own && Buffer.from(own));
            const listed = await view.list(at, '', 100, never);
            expect(listed, at).toEqual(kind === 'directory' ? { entries, total: entries.length } : undefined);
          }
        });
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });

  test(`${name} reads any range, nothing behind the end, and gives its bytes away`, async () => {
    const content = Uint8Array.from({ length: 2_500_000 }, (_, i) => (i * 7) % 251);
    await withView(
      new Map([
        ['large', content],
        ['d/empty', new Uint8Array(0)],
      ]),
      async (view) => {
        for (const [offset, length] of [
          [0, 10],
          [1_048_570, 20],
          [2_499_990, 100],
          [2_500_000, 5],
          [16_777_216, 16_777_216],
          [0, 0],
        ] as const) {
          const part = await view.read('large', offset, length, never);
          expect(Buffer.compare(part!, content.subarray(offset, offset + length)), `${offset}`).toBe(0);
        }
        (await view.read('large', 0, 10, never))!.fill(255);
        expect(await view.read('large', 0, 3, never)).toEqual(Uint8Array.from([0, 7, 14]));
        expect(await view.read('d/empty', 0, 10, never)).toHaveLength(0);
        for (const at of ['', 'd', 'large/x', 'nothing']) expect(await view.read(at, 0, 10, never), at).toBeUndefined();
      },
    );
  });

  test(`${name} lists a large directory page by page, also from a name that is not there`, async () => {
    const files = new Map(
      Array.from({ length: 3_000 }, (_, i) => [`many/${(i * 7919) % 3_000}`, bytes(`${i}`)] as const),
    );
    const entries = entriesOf(files, 'many');
    await withView(files, async (view) => {
      const seen: StateEntry[] = [];
      for (let after = ''; ;) {
        const page = await view.list('many', after, 700, never);
        expect(page?.total).toBe(3_000);
        if (page!.entries.length === 0) break;
        seen.push(...page!.entries);
        after = page!.entries.at(-1)!.name;
      }
      expect(seen).toEqual(entries);
      const behind = await view.list('many', '1000!', 2, never);
      expect(behind?.entries.map((each) => each.name)).toEqual(['1001', '1002']);
      expect((await view.list('many', '\u{10ffff}', 10, never))?.entries).toEqual([]);
    });
  });
}

function entriesOf(files: Files, directory: string): StateEntry[] {
  const prefix = directory === '' ? '' : `${directory}/`;
  const found = new Map<string, StateEntry>();
  for (const [file, content] of files) {
    if (!file.startsWith(prefix)) continue;
    const [name = '', ...below] = file.slice(prefix.length).split('/');
    const isFile = below.length === 0;
    found.set(name, { name, kind: isFile ? 'file' : 'directory', size: isFile ? content.length : 0 });
  }
  return [...found.values()].sort((a, b) => compareNames(a.name, b.name));
}
