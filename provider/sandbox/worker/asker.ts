import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { JobEnd, OUTCOME_FAULTS, SandboxError, type OutcomeCode } from '../errors.ts';
import type { Control } from '../pool/control.ts';
import type { Answer, Question } from './messages.ts';

/** Asks the main thread and blocks this worker until the answer is there. */
export class Asker {
  readonly #port: MessagePort;
  readonly #control: Control;
  readonly #slot: number;

  constructor(port: MessagePort, control: Control, slot: number) {
    this.#port = port;
    this.#control = control;
    this.#slot = slot;
  }

  /** There is no deadline here: the main thread gives every question one, and terminates the worker at the job's own. */
  ask<K extends Exclude<Answer['kind'], 'error'>>(question: Question & { kind: K }): Extract<Answer, { kind: K }> {
    const seen = this.#control.replies(this.#slot);
    this.#port.postMessage(question);
    this.#control.awaitReply(this.#slot, seen);
    const received = receiveMessageOnPort(this.#port) as { message: Answer } | undefined;
    const answer = received?.message;
    if (answer?.kind === 'error') throw toError(answer.error);
    if (answer?.kind !== question.kind) throw new Error(`the main thread answered ${answer?.kind} to ${question.kind}`);
    return answer as Extract<Answer, { kind: K }>;
  }
}

/** What is a fact about the content ends the job with an outcome; everything else says nothing about the task. */
function toError(error: Extract<Answer, { kind: 'error' }>['error']): JobEnd | SandboxError {
  const { code, message, fault, retryable } = error;
  if (Object.hasOwn(OUTCOME_FAULTS, code)) return new JobEnd(code as OutcomeCode, message);
  return new SandboxError(code, message, { fault, retryable });
}
