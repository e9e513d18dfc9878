import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CID } from 'multiformats/cid';
import { rawCid } from '../../sdk/protocol/index.ts';
import { openStates, type ServiceState, type States } from '../../provider/services/state/index.ts';
import { openBlockstore, openDatabase } from '../../provider/store/index.ts';

export const VALUE_BYTES = 1024;
const FILES_AT_ONCE = 2_000;

export interface Scene {
  states: States;
  /** Closes and opens it again, with nothing in memory. */
  restart(): Promise<States>;
  close(): Promise<void>;
}

/** States on the disk, as a provider has them. */
export async function openScene(): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-state-'));
  const blockstore = await openBlockstore(join(directory, 'blocks'));
  const open = () => {
    const database = openDatabase(join(directory, 'state.sqlite'));
    const getBlock = async (cid: CID): Promise<Uint8Array> => {
      throw new Error(`${cid} is missing`);
    };
    return { database, states: openStates({ database, blockstore, getBlock }) };
  };
  let opened = open();
  const close = async (): Promise<void> => {
    await opened.states.close();
    opened.database.close();
  };
  return {
    get states() {
      return opened.states;
    },
    async restart() {
      await close();
      opened = open();
      return opened.states;
    },
    async close() {
      await close();
      await rm(directory, { recursive: true });
    },
  };
}

let tasks = 0;

export function nextTask(): CID {
  return rawCid(Buffer.from(`task ${tasks++}`));
}

export function value(): Uint8Array {
  const bytes = new Uint8Array(VALUE_BYTES);
  new DataView(bytes.buffer).setFloat64(0, tasks++);
  return bytes;
}

export function put(state: ServiceState, path: string): ReturnType<ServiceState['update']> {
  return state.update(nextTask(), async () => ({ changes: { removed: [], written: new Map([[path, value()]]) } }));
}

/** `count` files of 1 KB in one directory. */
export async function filledState(states: States, name: string, count: number): Promise<ServiceState> {
  const state = await states.open(name);
  for (let from = 0; from < count; from += FILES_AT_ONCE) {
    const length = Math.min(FILES_AT_ONCE, count - from);
    const written = new Map(Array.from({ length }, (_, i) => [fileName(from + i), value()] as const));
    await state.update(nextTask(), async () => ({ changes: { removed: [], written } }));
  }
  return state;
}

export function fileName(i: number): string {
  return `entries/${String(i).padStart(10, '0')}`;
}

export function randomFile(count: number): string {
  return fileName(Math.floor(Math.random() * count));
}
