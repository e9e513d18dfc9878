import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CID } from 'multiformats/cid';
import { rawCid } from '../../../sdk/protocol/index.ts';
import type { StateChanges, StateView } from '../../sandbox/index.ts';
import { openBlockstore, openDatabase, type Database, type FastBlockstore } from '../../store/index.ts';
import { openStates, type StatesInit } from './states.ts';
import type { ServiceState, States } from './types.ts';

const signal = new AbortController().signal;

export interface TestStates {
  states: States;
  database: Database;
  blockstore: FastBlockstore;
  close(): Promise<void>;
}

/** In memory, or in a directory as a provider has them. */
export async function testStates(directory?: string, init: Partial<StatesInit> = {}): Promise<TestStates> {
  const database = openDatabase(directory === undefined ? ':memory:' : join(directory, 'state.sqlite'));
  const blockstore = init.blockstore ?? (await openBlockstore(directory && join(directory, 'blocks')));
  const getBlock = async (cid: CID): Promise<Uint8Array> => {
    throw new Error(`The block ${cid} is nowhere`);
  };
  const states = openStates({ database, blockstore, getBlock, ...init });
  return {
    states,
    database,
    blockstore,
    async close() {
      await states.close();
      database.close();
    },
  };
}

export function testDirectory(): { path: string; remove(): Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), 'state-'));
  return { path, remove: () => rm(path, { recursive: true }) };
}

export function testTask(name: string | number): CID {
  return rawCid(new TextEncoder().encode(`task ${name}`));
}

export function write(files: Record<string, string | Uint8Array>, removed: string[] = []): StateChanges {
  const entries = Object.entries(files);
  return {
    removed,
    written: new Map(entries.map(([path, value]) => [path, typeof value === 'string' ? Buffer.from(value) : value])),
  };
}

/** An update that writes, whatever was there. */
export function put(
  state: ServiceState,
  task: string | number,
  files: Record<string, string | Uint8Array>,
  removed: string[] = [],
) {
  return state.update(testTask(task), async () => ({ changes: write(files, removed) }));
}

export async function read(view: StateView, path: string): Promise<string | undefined> {
  const bytes = await view.read(path, 0, 2 ** 30, signal);
  return bytes && Buffer.from(bytes).toString();
}

/** All files of a view, found as a handler finds them. */
export async function allFiles(view: StateView, path = ''): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (let after = ''; ;) {
    const page = await view.list(path, after, 100, signal);
    for (const { name, kind } of page?.entries ?? []) {
      const below = path === '' ? name : `${path}/${name}`;
      if (kind === 'file') files.set(below, (await read(view, below))!);
      else for (const [file, text] of await allFiles(view, below)) files.set(file, text);
    }
    const last = page?.entries.at(-1);
    if (last === undefined) return files;
    after = last.name;
  }
}
