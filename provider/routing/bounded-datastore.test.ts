import { Key } from 'interface-datastore';
import { expect, test } from 'vitest';
import { BoundedDatastore, type BoundedDatastoreInit } from './bounded-datastore.ts';

const value = new Uint8Array(100);

function filled(init: BoundedDatastoreInit, ...names: string[]): BoundedDatastore {
  const store = new BoundedDatastore(init);
  for (const name of names) store.put(new Key(name), value);
  return store;
}

function namesOf(store: BoundedDatastore, prefix?: string): string[] {
  return [...(store.query(prefix === undefined ? {} : { prefix }) as Generator<{ key: Key }>)].map(({ key }) =>
    key.toString(),
  );
}

test('it keeps what is put, finds what is under a key and forgets what is deleted', () => {
  const store = filled({ bytesMax: 10_000 }, '/a/x/1', '/a/x/2', '/a/y/1', '/b');
  expect(store.get(new Key('/a/x/1'))).toBe(value);
  expect(store.has(new Key('/a/x'))).toBe(false);
  expect(() => store.get(new Key('/a/x'))).toThrow(expect.objectContaining({ name: 'NotFoundError' }));
  expect(namesOf(store, '/a/x')).toEqual(['/a/x/1', '/a/x/2']);
  expect(namesOf(store, '/a/')).toEqual(['/a/x/1', '/a/x/2', '/a/y/1']);
  expect(namesOf(store, '/c')).toEqual([]);
  store.delete(new Key('/a/x/1'));
  store.delete(new Key('/a/x/1'));
  store.delete(new Key('/never'));
  expect(namesOf(store)).toEqual(['/a/x/2', '/a/y/1', '/b']);
  for (const name of namesOf(store)) store.delete(new Key(name));
  expect(store.bytes).toBe(0);
});

test('the oldest records give way to new ones, what was written again last', () => {
  const store = filled({ bytesMax: 1200 }, '/a/1', '/a/2', '/a/3', '/a/1', '/a/4');
  expect(namesOf(store).sort()).toEqual(['/a/1', '/a/3', '/a/4']);
  expect(store.bytes).toBeLessThanOrEqual(1200);
});

test('however much is put, it holds no more than it may', () => {
  const store = new BoundedDatastore({ bytesMax: 100_000 });
  for (let i = 0; i < 20_000; i++) store.put(new Key(`/dht/provider/${i % 500}/${i}`), value);
  expect(store.bytes).toBeLessThanOrEqual(100_000);
  expect(namesOf(store).length).toBeGreaterThan(200);
});

test('under one key only so many records are kept', () => {
  const store = filled({ bytesMax: 100_000, siblingsMax: 2 }, '/a/x/1', '/a/x/2', '/a/y/1', '/a/x/3');
  expect(namesOf(store, '/a/x')).toEqual(['/a/x/2', '/a/x/3']);
  expect(namesOf(store, '/a/y')).toEqual(['/a/y/1']);
});

test('our own records never give way', () => {
  const keep = (key: string): boolean => key.endsWith('/me');
  const store = filled({ bytesMax: 500, siblingsMax: 2, keep }, '/a/me', '/a/1', '/a/2', '/a/3', '/b/1');
  expect(store.has(new Key('/a/me'))).toBe(true);
  expect(store.bytes).toBeLessThanOrEqual(500);
});
