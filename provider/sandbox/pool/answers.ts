import type { MessagePort } from 'node:worker_threads';
import { WorkswapError } from '../../../sdk/protocol/errors.ts';
import { OUTCOME_FAULTS } from '../errors.ts';
import { raceSignal } from '../race-signal.ts';
import type { FileSize, ReadFile } from '../types.ts';
import type { Answer, Question } from '../worker/messages.ts';
import { answerState } from './state-answers.ts';
import type { Entry } from './entry.ts';

export interface AnswerOptions {
  readFile: ReadFile | undefined;
  fileSize: FileSize | undefined;
  blockTimeoutMs: number;
  /** A job begins or ends to wait for the network. */
  waiting(entry: Entry, waits: boolean): void;
}

/** Answers a worker's question for the job `entry`; there is none when it does not run any more. */
export async function answerQuestion(
  port: MessagePort,
  question: Question,
  entry: Entry | undefined,
  options: AnswerOptions,
): Promise<void> {
  post(
    port,
    entry === undefined
      ? failed('JOB_CANCELLED', 'The job is not running any more.')
      : await answer(question, entry, options),
  );
}

function post(port: MessagePort, answer: Answer): void {
  // Transferred: what it names is this answer's alone.
  if (answer.kind === 'read') port.postMessage(answer, [answer.bytes.buffer as ArrayBuffer]);
  else port.postMessage(answer);
}

async function answer(question: Question, entry: Entry, options: AnswerOptions): Promise<Answer> {
  if (question.kind === 'module') {
    const { module } = entry.job;
    return { kind: 'module', module };
  }
  if (question.kind !== 'read' && question.kind !== 'size') return answerState(question, entry, options);
  const controller = new AbortController();
  entry.fetching = controller;
  const late = new Error(`it did not come within ${options.blockTimeoutMs} ms`);
  const timer = setTimeout(() => controller.abort(late), options.blockTimeoutMs);
  options.waiting(entry, true);
  try {
    return await raceSignal(fetchPart(question, entry, options, controller.signal), controller.signal);
  } catch (error) {
    if (error instanceof WorkswapError && Object.hasOwn(OUTCOME_FAULTS, error.code))
      return failed(error.code, error.message);
    return failed('BLOCK_UNAVAILABLE', `The block is not available: ${reasonOf(error, late)}`);
  } finally {
    clearTimeout(timer);
    entry.fetching = undefined;
    options.waiting(entry, false);
  }
}

async function fetchPart(
  question: Extract<Question, { kind: 'read' | 'size' }>,
  { consumer }: Entry,
  { readFile, fileSize }: AnswerOptions,
  signal: AbortSignal,
): Promise<Answer> {
  if (question.kind === 'size') {
    if (fileSize === undefined) return failed('BLOCK_UNAVAILABLE', 'This sandbox has no access to blocks.');
    return { kind: 'size', size: await fileSize(question.cid, signal, consumer) };
  }
  if (readFile === undefined) return failed('BLOCK_UNAVAILABLE', 'This sandbox has no access to blocks.');
  const { cid, offset, length } = question;
  const bytes = await readFile(cid, offset, length, signal, consumer);
  // A copy of exactly these bytes: the worker must not get the whole buffer that they may be a part of.
  return { kind: 'read', bytes: bytes.slice(0, length) };
}

function failed(code: string, message: string): Answer {
  return { kind: 'error', error: { code, message, fault: 'provider', retryable: true } };
}

/** The words go to the consumer: what is not ours to tell may hold local paths. */
function reasonOf(error: unknown, late: Error): string {
  if (error === late) return late.message;
  return error instanceof WorkswapError ? error.peerMessage : 'this provider failed to read it';
}
