import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changeFiles } from '../../store/unixfs-directory/testing.ts';
import { collect } from './testing-collect.ts';
import { allFiles, read, testDirectory, testStates, testTask, write, type TestStates } from './testing.ts';
import type { ServiceState } from './types.ts';

/**
 * Goal: whatever is done with a state, in whatever order and at the same time, it is what the updates make one after the
 * other. Method: random steps against a map of files, with restarts that leave nothing in memory, failed updates,
 * rollbacks, and queries that must see one root.
 */
type Update = { kind: 'update'; written: Record<string, string>; removed: string[]; fails: boolean };
type Step =
  | { kind: 'together'; updates: Update[] }
  | { kind: 'rollback'; back: number }
  | { kind: 'restart' }
  | { kind: 'repeat' };

const paths = fc.constantFrom('a', 'b', 'c', 'd/a', 'd/b', 'd/e/a', 'd/e/b', 'f/g/h');
const update: fc.Arbitrary<Update> = fc.record({
  kind: fc.constant('update' as const),
  written: fc.dictionary(paths, fc.string({ maxLength: 3 }), { maxKeys: 3 }),
  removed: fc.array(fc.oneof(paths, fc.constantFrom('d', 'd/e', 'f')), { maxLength: 2 }),
  fails: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('together' as const), updates: fc.array(update, { maxLength: 12 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollback' as const), back: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'repeat' as const }) },
);

type Files = Map<string, Uint8Array>;
const asText = (files: Files): [string, string][] =>
  [...files].map(([path, bytes]): [string, string] => [path, Buffer.from(bytes).toString()]).sort();

class Model {
  opened!: TestStates;
  state!: ServiceState;
  files: Files = new Map();
  /** Files after each commit, oldest first, by its CID. */
  readonly commits = new Map<string, [string, string][]>();
  readonly #path: string;
  #tasks = 0;
  #applied: string[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    this.opened = await testStates(this.#path, { limits: { nodesBytesMax: 20_000, filesBytesMax: 500 } });
    this.state = await this.opened.states.open('k51model');
  }

  async run(one: Step): Promise<void> {
    if (one.kind === 'together') await this.#together(one.updates);
    if (one.kind === 'rollback') await this.#rollback(one.back);
    if (one.kind === 'repeat') await this.#repeat();
    if (one.kind === 'restart') {
      await this.opened.close();
      await this.open();
    }
    await this.#check();
  }

  async #together(updates: Update[]): Promise<void> {
    const queries = this.#queriesAtOneRoot();
    const ends = updates.map(async ({ written, removed, fails }) => {
      const name = `task ${this.#tasks++}`;
      let saw: [string, string][] = [];
      const result = this.state.update(testTask(name), async (view) => {
        saw = asText(await bytesOf(view));
        if (fails) throw new RangeError('no');
        const nothing = Object.keys(written).length + removed.length === 0;
        return nothing ? {} : { changes: write(written, removed) };
      });
      if (fails) await expect(result).rejects.toThrow(RangeError);
      else await result;
      return { name, saw };
    });
    for (const [i, { name, saw }] of (await Promise.all(ends)).entries()) {
      // The run that counted saw exactly what the updates before it left.
      expect(saw).toEqual(asText(this.files));
      const { written, removed, fails } = updates[i]!;
      if (fails) continue;
      const bytes = Object.fromEntries(Object.entries(written).map(([path, text]) => [path, Buffer.from(text)]));
      changeFiles(this.files, { removed, written: bytes });
      this.#applied.push(name);
    }
    await queries;
  }

  /** Starts while updates run: whatever they do meanwhile, the view stays at its root. */
  async #queriesAtOneRoot(): Promise<void> {
    const view = this.state.view();
    const before = asText(this.files);
    expect(asText(await bytesOf(view))).toEqual(before);
    expect(await read(view, before[0]?.[0] ?? 'a')).toEqual(before[0]?.[1]);
  }

  async #rollback(back: number): Promise<void> {
    const history = await collect(this.state.history());
    const to = history[back % Math.max(1, history.length)];
    if (to === undefined) return;
    await this.state.rollback(to.cid);
    const files = this.commits.get(to.cid.toString());
    this.files = new Map((files ?? []).map(([path, text]) => [path, Buffer.from(text)]));
    expect(files).toBeDefined();
  }

  async #repeat(): Promise<void> {
    const name = this.#applied.at(-1);
    if (name === undefined) return;
    const again = this.state.update(testTask(name), async () => ({ changes: write({ a: 'twice' }) }));
    await expect(again).rejects.toMatchObject({ code: 'ALREADY_APPLIED' });
  }

  async #check(): Promise<void> {
    const files = asText(await bytesOf(this.state.view()));
    expect(files).toEqual(asText(this.files));
    for await (const { cid, commit } of this.state.history()) {
      const key = cid.toString();
      if (!this.commits.has(key)) this.commits.set(key, asText(await bytesOf(this.state.view(commit.after))));
    }
  }
}

async function bytesOf(view: Parameters<typeof allFiles>[0]): Promise<Files> {
  return new Map([...(await allFiles(view))].map(([path, text]) => [path, Buffer.from(text)]));
}

test('a state is what its updates make one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      const { path, remove } = testDirectory();
      const model = new Model(path);
      await model.open();
      try {
        for (const one of steps) await model.run(one);
      } finally {
        await model.opened.close();
        await remove();
      }
    }),
    { numRuns: 25, endOnFailure: true },
  );
});
