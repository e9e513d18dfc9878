import type { CID } from 'multiformats/cid';
import { cidOfKey, HotCache, keyOfCid, type Database } from '../../store/index.ts';
import type { AppliedRow } from './batch.ts';
import type { StateLimits } from './limits.ts';
import { SeenTasks } from './seen-tasks.ts';
import type { AppliedTask } from './types.ts';

/**
 * Which tasks were applied, with what answer: the database has them for as long as they could be accepted again, the
 * newest are in memory.
 */
export class AppliedTasks {
  readonly #limits: StateLimits;
  readonly #select: ReturnType<Database['sqlite']['prepare']>;
  readonly #recent: HotCache<AppliedTask>;
  readonly #seen: SeenTasks;
  /** Bytes of kept answers by when they were kept. */
  #kept: { timeMs: number; bytes: number }[] = [];
  #keptBytes: number;
  /** When the last task was applied by an earlier process. */
  readonly #earlierMs: number;

  constructor(database: Database, limits: StateLimits) {
    this.#limits = limits;
    this.#recent = new HotCache(limits.appliedInMemory);
    const { sqlite } = database;
    this.#select = sqlite.prepare('SELECT commit_cid, time_ms, answer FROM applied WHERE state = ? AND task = ?');
    const found = sqlite.prepare('SELECT sum(length(answer)) AS bytes, max(time_ms) AS time FROM applied').get();
    const bytes = Number(found?.['bytes'] ?? 0);
    this.#keptBytes = bytes;
    this.#earlierMs = Number(found?.['time'] ?? -1);
    if (bytes > 0) this.#kept.push({ timeMs: Date.now(), bytes });
    this.#seen = new SeenTasks(limits.appliedKeepMs);
    for (const { task } of sqlite.prepare('SELECT task FROM applied').iterate()) {
      this.#seen.add(Buffer.from(task as Uint8Array).toString('latin1'));
    }
  }

  get(state: number, task: CID): AppliedTask | undefined {
    const key = keyOfCid(task);
    const recent = this.#recent.get(`${state} ${key}`);
    if (recent !== undefined) return recent;
    if (!this.#seen.mayHave(key)) return undefined;
    const row = this.#select.get(state, Buffer.from(key, 'latin1'));
    if (row === undefined) return undefined;
    const commit = row['commit_cid'] as Uint8Array | null;
    const answer = row['answer'] as Uint8Array | null;
    return {
      commit: commit === null ? undefined : cidOfKey(Buffer.from(commit).toString('latin1')),
      answer: answer ?? undefined,
      isEarlier: Number(row['time_ms']) <= this.#earlierMs,
    };
  }

  /** It is durable now. */
  add({ state, task, answer }: AppliedRow, commit: CID | undefined): void {
    this.#seen.add(task);
    this.#recent.set(`${state} ${task}`, { commit, answer, isEarlier: false }, 1);
  }

  /** Whether an answer of this size can be kept; it counts from now on. */
  reserve(bytes: number): boolean {
    if (bytes > this.#limits.answerBytesMax) return false;
    const nowMs = Date.now();
    for (let first = this.#kept[0]; first !== undefined; first = this.#kept[0]) {
      if (first.timeMs > nowMs - this.#limits.appliedKeepMs) break;
      this.#kept.shift();
      this.#keptBytes -= first.bytes;
    }
    if (this.#keptBytes + bytes > this.#limits.answersBytesMax) return false;
    const last = this.#kept.at(-1);
    // One entry a second, so that there are never many.
    if (last !== undefined && nowMs - last.timeMs < 1_000) last.bytes += bytes;
    else this.#kept.push({ timeMs: nowMs, bytes });
    this.#keptBytes += bytes;
    return true;
  }
}
