import type { CID } from 'multiformats/cid';
import { cidOfKey, HotCache, keyOfCid, type Database } from '../../store/index.ts';
import type { AppliedRow, AnswerRow } from './batch.ts';
import type { StateLimits } from './limits.ts';
import type { AppliedTask } from './types.ts';

/**
 * Which tasks were applied: the database has them for as long as they could be accepted again, the newest are in memory.
 * The answer that belongs to a task comes later than the task, since the receipt in it names the commit.
 */
export class AppliedTasks {
  readonly #limits: StateLimits;
  readonly #select: ReturnType<Database['sqlite']['prepare']>;
  readonly #recent: HotCache<AppliedTask>;
  /** Bytes of kept answers by when they were kept. */
  #kept: { timeMs: number; bytes: number }[] = [];
  #keptBytes: number;

  constructor(database: Database, limits: StateLimits) {
    this.#limits = limits;
    this.#recent = new HotCache(limits.appliedInMemory);
    const { sqlite } = database;
    this.#select = sqlite.prepare('SELECT commit_cid, answer FROM applied WHERE state = ? AND task = ?');
    const bytes = Number(sqlite.prepare('SELECT sum(length(answer)) AS bytes FROM applied').get()?.['bytes'] ?? 0);
    this.#keptBytes = bytes;
    if (bytes > 0) this.#kept.push({ timeMs: Date.now(), bytes });
  }

  get(state: number, task: CID): AppliedTask | undefined {
    const key = keyOfCid(task);
    const recent = this.#recent.get(`${state} ${key}`);
    if (recent !== undefined) return recent;
    const row = this.#select.get(state, Buffer.from(key, 'latin1'));
    if (row === undefined) return undefined;
    const commit = row['commit_cid'] as Uint8Array | null;
    const answer = row['answer'] as Uint8Array | null;
    return {
      commit: commit === null ? undefined : cidOfKey(Buffer.from(commit).toString('latin1')),
      answer: answer ?? undefined,
    };
  }

  /** It is durable now. */
  add({ state, task, answer }: AppliedRow, commit: CID | undefined): void {
    this.#recent.set(`${state} ${task}`, { commit, answer }, 1);
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

  setAnswer(state: number, task: CID, answer: Uint8Array): AnswerRow | undefined {
    const applied = this.get(state, task);
    if (applied === undefined || !this.reserve(answer.length)) return undefined;
    const key = keyOfCid(task);
    this.#recent.set(`${state} ${key}`, { ...applied, answer }, 1);
    return { state, task: key, answer };
  }
}
