import type { CID } from 'multiformats/cid';
import {
  decodeCommit,
  decodeInput,
  decodeTask,
  deliveryOf,
  encodeMessage,
  messageHash,
  messagesOf,
  messagesRoot,
} from '../../sdk/protocol/index.ts';
import { BATCH_SIZE_MAX } from '../../sdk/protocol/merkle.ts';
import type { Receipt, Task } from '../../sdk/protocol/index.ts';
import type { JobSpec, Outcome } from '../sandbox/index.ts';
import { Replay } from '../services/state/index.ts';
import type { GetBlock } from '../store/index.ts';
import { isQuery } from './service-job.ts';

/** A task with everything that is needed to run it. */
export interface TaskAgain {
  task: Task;
  input: ReturnType<typeof decodeInput>;
  inputBytes: Uint8Array;
}

/** Runs a task; `compiledBytes` is what it pays for compilation. */
export type TaskRunner = (again: TaskAgain, compiledBytes: number, state?: JobSpec['state']) => Promise<Outcome>;

/**
 * Runs a service's task again at the state that its receipt names. A query runs at that root. An update runs where its
 * commit has it: all updates of the commit in their order from `before`, and their changes must make `after`.
 *
 * The updates before it are priced by this receipt's tariff: it is their provider's, of the same moment.
 *
 * @throws why a block of the state, the commit or its tasks cannot be had
 */
export async function runAgainAtState(
  receipt: Receipt,
  asked: TaskAgain,
  run: TaskRunner,
  getBlock: GetBlock,
): Promise<{ outcome: Outcome; found: Record<string, string> }> {
  const { compiledBytes } = receipt.usage;
  if (receipt.state === undefined) return { outcome: await run(asked, compiledBytes), found: { state: 'missing' } };
  const replay = new Replay(receipt.state, getBlock);
  if (isQuery(asked.input)) {
    const outcome = await run(asked, compiledBytes, { view: replay.view(), writable: false });
    return { outcome, found: receipt.commit === undefined ? {} : { commit: 'none, since a query changes nothing' } };
  }
  if (receipt.commit !== undefined) return replayCommit(receipt, receipt.commit, asked, run, replay, getBlock);
  const outcome = await run(asked, compiledBytes, { view: replay.view(), writable: true });
  return {
    outcome,
    found:
      outcome.changes === undefined && outcome.messages === undefined
        ? {}
        : { commit: 'one, since the update changes the state or sends a message' },
  };
}

async function replayCommit(
  receipt: Receipt,
  cid: CID,
  asked: TaskAgain,
  run: TaskRunner,
  replay: Replay,
  getBlock: GetBlock,
): Promise<{ outcome: Outcome; found: Record<string, string> }> {
  const commit = decodeCommit(await getBlock(cid));
  const found: Record<string, string> = {};
  if (commit.service !== asked.task.service) found['service'] = commit.service;
  if (!commit.before.equals(receipt.state!)) found['state'] = commit.before.toString();
  let own: Outcome | undefined;
  const sent: Uint8Array[] = [];
  for (const task of commit.tasks) {
    const isOwn = task.equals(receipt.task);
    const again = isOwn ? asked : await fetchTask(task, getBlock);
    const state = { view: replay.view(), writable: true };
    const outcome = await run(again, isOwn ? receipt.usage.compiledBytes : 0, state);
    if (outcome.error === undefined && outcome.changes !== undefined) replay.add(outcome.changes);
    sent.push(...sentBy(task, again, outcome));
    if (isOwn) own = outcome;
  }
  const after = await replay.root();
  if (!after.equals(commit.after)) found['after'] = after.toString();
  // More than a commit may have cannot be what it says.
  const root = sent.length === 0 || sent.length > BATCH_SIZE_MAX ? undefined : messagesRoot(sent);
  if (Buffer.compare(root ?? new Uint8Array(), commit.sent ?? new Uint8Array()) !== 0) {
    found['sent'] = root === undefined ? `${sent.length} messages` : Buffer.from(root).toString('hex');
  }
  if (own !== undefined) return { outcome: own, found };
  found['commit'] = 'one that holds the task';
  const state = { view: replay.view(), writable: true };
  return { outcome: await run(asked, receipt.usage.compiledBytes, state), found };
}

/** Hashes of the messages of an update of the commit. */
function sentBy(cid: CID, { task, input }: TaskAgain, { messages = [] }: Outcome): Uint8Array[] {
  const origin = { service: task.service!, timeMs: input.timeMs, followUps: deliveryOf(input)?.followUps };
  return messagesOf(cid, origin, messages).map((message) => messageHash(encodeMessage(message)));
}

async function fetchTask(cid: CID, getBlock: GetBlock): Promise<TaskAgain> {
  const task = decodeTask(await getBlock(cid));
  const inputBytes = await getBlock(task.input);
  return { task, input: decodeInput(inputBytes), inputBytes };
}
