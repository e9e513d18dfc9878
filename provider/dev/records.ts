import type { CID } from 'multiformats/cid';
import type { RunResult } from '../workbench/index.ts';
import { DEV_LIMITS } from './limits.ts';

/** One request that the handler was asked, and what came of it. */
export interface RequestRecord {
  id: number;
  method: string;
  path: string;
  handler: CID;
  result: RunResult;
}

/** The latest requests. */
export class Records {
  readonly #records: RequestRecord[] = [];
  #count = 0;

  add(record: Omit<RequestRecord, 'id'>): RequestRecord {
    const added = { ...record, id: ++this.#count };
    this.#records.push(added);
    if (this.#records.length > DEV_LIMITS.recordsMax) this.#records.shift();
    return added;
  }

  get(id: number): RequestRecord | undefined {
    return this.#records.find((record) => record.id === id);
  }

  newestFirst(): RequestRecord[] {
    return this.#records.toReversed();
  }
}
