import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { openDatabase, transaction, type Database } from './database.ts';
import { migrate, type Schema } from './migrate.ts';

let directory: string;
let path: string;
const opened: Database[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'store-'));
  path = join(directory, 'data', 'store.sqlite');
});

afterEach(async () => {
  for (const database of opened.splice(0)) database.close();
  await rm(directory, { recursive: true });
});

function open(options?: Parameters<typeof openDatabase>[1]): Database {
  const database = openDatabase(path, options);
  opened.push(database);
  return database;
}

const notes: Schema = { name: 'notes', steps: ['CREATE TABLE notes (text TEXT) STRICT'] };

function write(database: Database, text: string): void {
  transaction(database, () => database.sqlite.prepare('INSERT INTO notes VALUES (?)').run(text));
}

function read(database: Database): unknown[] {
  return database.sqlite
    .prepare('SELECT text FROM notes')
    .all()
    .map((row) => row['text']);
}

test('the directory is made, and what was written is there after closing and opening', () => {
  const first = open();
  migrate(first, notes);
  write(first, 'kept');
  first.close();
  const second = open();
  migrate(second, notes);
  expect(read(second)).toEqual(['kept']);
});

test('every commit waits for the disk', () => {
  const { sqlite } = open();
  expect(sqlite.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
  expect(sqlite.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
});

test('a transaction that throws leaves nothing behind', () => {
  const database = open();
  migrate(database, notes);
  const fail = () =>
    transaction(database, () => {
      database.sqlite.exec("INSERT INTO notes VALUES ('half')");
      throw new RangeError('stop');
    });
  expect(fail).toThrow(RangeError);
  expect(read(database)).toEqual([]);
});

test('a second provider on the same data is told who holds it', () => {
  open();
  expect(() => open()).toThrow(
    expect.objectContaining({
      code: 'STORE_LOCKED',
      fault: 'provider',
      retryable: true,
      message: expect.stringContaining('this process'),
    }),
  );
});

test('the lock goes with a provider that was killed', async () => {
  const module = JSON.stringify(new URL('./database.ts', import.meta.url).href);
  const script = `const { openDatabase } = await import(${module});
    openDatabase(${JSON.stringify(path)}); process.stdout.write('open'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(holder.stdout, 'data');
    expect(() => open()).toThrow(
      expect.objectContaining({ code: 'STORE_LOCKED', message: expect.stringContaining(`process ${holder.pid}`) }),
    );
  } finally {
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  }
  expect(open().readOnly).toBe(false);
});

test('others can read while the provider writes', () => {
  const writer = open();
  migrate(writer, notes);
  write(writer, 'one');
  const reader = open({ readOnly: true });
  expect(read(reader)).toEqual(['one']);
  write(writer, 'two');
  expect(read(reader)).toEqual(['one', 'two']);
  expect(() => write(reader, 'three')).toThrow(expect.objectContaining({ code: 'STORE_READ_ONLY' }));
});

test('reading works when nobody has the file open', () => {
  const writer = open();
  migrate(writer, notes);
  write(writer, 'one');
  writer.close();
  expect(read(open({ readOnly: true }))).toEqual(['one']);
});

test('a full disk is reported as such, and the store goes on when there is space', () => {
  const database = open();
  migrate(database, notes);
  // SQLite's own page limit gives the same answer as a disk without space.
  const pages = Number(database.sqlite.prepare('PRAGMA page_count').get()?.['page_count']);
  database.sqlite.exec(`PRAGMA max_page_count = ${pages + 2}`);
  const big = 'x'.repeat(100_000);
  expect(() => write(database, big)).toThrow(expect.objectContaining({ code: 'STORE_FULL', retryable: true, path }));
  expect(read(database)).toEqual([]);
  database.sqlite.exec('PRAGMA max_page_count = 1000000');
  write(database, big);
  expect(read(database)).toEqual([big]);
});

test('a file that is no database is not touched', async () => {
  path = join(directory, 'letter');
  const letter = 'This is a letter to my mother, not a database. '.repeat(100);
  await writeFile(path, letter);
  expect(() => open()).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  expect(await readFile(path, 'utf8')).toBe(letter);
});

test("another program's database is not touched", async () => {
  path = join(directory, 'other.sqlite');
  const foreign = new DatabaseSync(path);
  foreign.exec('CREATE TABLE secrets (x)');
  foreign.close();
  const before = await readFile(path);
  expect(() => open()).toThrow(
    expect.objectContaining({ code: 'STORE_CORRUPT', message: expect.stringContaining('not a Workswap database') }),
  );
  expect(await readFile(path)).toEqual(before);
});

test('a database with a broken page is reported, not read as if it were whole', async () => {
  const database = open();
  migrate(database, notes);
  for (let i = 0; i < 200; i++) write(database, 'x'.repeat(500));
  database.close();
  const bytes = await readFile(path);
  for (let page = 2; page * 4096 < bytes.length; page++) bytes.fill(0xee, page * 4096, page * 4096 + 64);
  await writeFile(path, bytes);
  const again = open();
  expect(() => write(again, 'more')).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
});

test('a file of a newer Workswap is left alone', () => {
  const newer = open();
  migrate(newer, { name: 'notes', steps: [...notes.steps, 'CREATE TABLE more (x)'] });
  newer.close();
  expect(() => migrate(open(), notes)).toThrow(expect.objectContaining({ code: 'STORE_NEWER' }));
  opened.splice(0).forEach((database) => database.close());
  const store = open();
  store.sqlite.exec('PRAGMA user_version = 99');
  store.close();
  expect(() => open()).toThrow(expect.objectContaining({ code: 'STORE_NEWER' }));
});

test('rooms that share a file are migrated on their own, and a broken step changes nothing', () => {
  const database = open();
  migrate(database, notes);
  migrate(database, { name: 'pins', steps: ['CREATE TABLE pins (cid TEXT) STRICT'] });
  const broken = {
    name: 'pins',
    steps: ['CREATE TABLE pins (cid TEXT) STRICT', 'ALTER TABLE pins ADD COLUMN a TEXT; NONSENSE'],
  };
  expect(() => migrate(database, broken)).toThrow();
  expect(database.sqlite.prepare("SELECT count(*) AS n FROM pragma_table_info('pins')").get()).toEqual({ n: 1 });
});

test.skipIf(process.getuid?.() === 0)('a directory without permission is named', async () => {
  await chmod(directory, 0o500);
  expect(() => open()).toThrow(
    expect.objectContaining({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining(path) }),
  );
  await chmod(directory, 0o700);
});
