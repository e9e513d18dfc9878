import { WorkswapError } from '../../../sdk/protocol/errors.ts';
import { raceSignal } from '../race-signal.ts';
import type { StateView } from '../types.ts';
import { packListing, STATE_HEAD_BYTES, type Answer, type Question } from '../worker/messages.ts';
import type { AnswerOptions } from './answers.ts';
import type { Entry } from './entry.ts';

type StateQuestion = Extract<Question, { kind: 'stateFile' | 'stateRead' | 'stateList' }>;

/** Answers a question about the state of the job `entry`. A view that answers at once never makes the job wait. */
export async function answerState(question: StateQuestion, entry: Entry, options: AnswerOptions): Promise<Answer> {
  const view = entry.job.state?.view;
  if (view === undefined) return unavailable(undefined);
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  try {
    const asked = ask(question, view, controller.signal);
    if (!(asked instanceof Promise)) return asked;
    timer = setTimeout(() => controller.abort(), options.blockTimeoutMs);
    entry.fetching = controller;
    options.waiting(entry, true);
    return await raceSignal(asked, controller.signal);
  } catch (error) {
    return unavailable(error);
  } finally {
    if (timer !== undefined) {
      clearTimeout(timer);
      entry.fetching = undefined;
      options.waiting(entry, false);
    }
  }
}

function ask(question: StateQuestion, view: StateView, signal: AbortSignal): Answer | Promise<Answer> {
  if (question.kind === 'stateRead') {
    const { path, offset, length } = question;
    return then(view.read(path, offset, length, signal), (bytes) => ({ kind: 'stateRead', bytes: bytes?.slice() }));
  }
  if (question.kind === 'stateList') {
    const { path, after, limit } = question;
    return then(view.list(path, after, limit, signal), (listing) => ({
      kind: 'stateList',
      listing: listing && packListing(listing),
    }));
  }
  const { path, withHead } = question;
  return then(view.stat(path, signal), (stat) => {
    if (!withHead || stat?.kind !== 'file' || stat.size > STATE_HEAD_BYTES)
      return { kind: 'stateFile', stat, head: undefined };
    return then(view.read(path, 0, stat.size, signal), (head) => ({ kind: 'stateFile', stat, head: head?.slice() }));
  });
}

/** Goes on at once with what is there already. */
function then<T>(value: T | Promise<T>, next: (value: T) => Answer | Promise<Answer>): Answer | Promise<Answer> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Says nothing of local paths: the words go to the consumer. */
function unavailable(error: unknown): Answer {
  const reason = error instanceof WorkswapError ? error.peerMessage : 'this provider failed to read it';
  const message = `The state is not available: ${reason}`;
  return { kind: 'error', error: { code: 'STATE_UNAVAILABLE', message, fault: 'provider', retryable: true } };
}
