import { decode, encode } from '@ipld/dag-cbor';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rawCid } from './cids.ts';
import { COMMIT_TASKS_MAX, decodeCommit, encodeCommit, type Commit } from './commit.ts';

const cids = fc.uint8Array({ maxLength: 8 }).map(rawCid);
const commits: fc.Arbitrary<Commit> = fc.record(
  {
    service: fc.string({ minLength: 1, maxLength: 80 }),
    previous: fc.option(cids, { nil: undefined }),
    before: cids,
    after: cids,
    tasks: fc.array(cids, { maxLength: 30 }),
    timeMs: fc.maxSafeNat(),
    sent: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  },
  { requiredKeys: ['service', 'previous', 'before', 'after', 'tasks', 'timeMs'] },
);

test('a commit is what the general DAG-CBOR codec makes of it, and reads back', () => {
  fc.assert(
    fc.property(commits, (commit) => {
      const bytes = encodeCommit(commit);
      const { previous, ...rest } = commit;
      expect(Buffer.from(bytes).equals(encode({ version: 1, previous: previous ?? null, ...rest }))).toBe(true);
      expect(encodeCommit(decodeCommit(bytes))).toEqual(bytes);
      expect(decodeCommit(bytes).after.equals(commit.after)).toBe(true);
    }),
  );
});

test('what is not a commit is refused, cut off or changed at any byte, without a crash', () => {
  const bytes = encodeCommit({
    service: 'k51qzi5uqu5d',
    previous: rawCid(Uint8Array.of(1)),
    before: rawCid(Uint8Array.of(2)),
    after: rawCid(Uint8Array.of(3)),
    tasks: [rawCid(Uint8Array.of(4))],
    timeMs: 1_700_000_000_000,
    sent: new Uint8Array(32),
  });
  const refused = expect.objectContaining({ code: 'DOCUMENT_INVALID' });
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeCommit(bytes.subarray(0, length))).toThrow(refused);
  }
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const changed = bytes.slice();
      changed[at] = value;
      try {
        // What is read has exactly one encoding.
        expect(Buffer.from(encodeCommit(decodeCommit(changed))).equals(changed)).toBe(true);
      } catch (error) {
        expect(error).toMatchObject(refused);
      }
    }),
  );
});

test('a commit with more tasks than any provider makes is refused', () => {
  const cid = rawCid(new Uint8Array(0));
  const commit = { service: 'k51', previous: undefined, before: cid, after: cid, timeMs: 0 };
  const full = encodeCommit({ ...commit, tasks: Array.from({ length: COMMIT_TASKS_MAX }, () => cid) });
  expect(decodeCommit(full).tasks).toHaveLength(COMMIT_TASKS_MAX);
  expect(() =>
    decodeCommit(encode({ ...(decode(full) as object), tasks: Array(COMMIT_TASKS_MAX + 1).fill(cid) })),
  ).toThrow(expect.objectContaining({ code: 'DOCUMENT_INVALID' }));
});
