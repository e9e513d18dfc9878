import { expect, test } from 'vitest';
import { abortSignalOf, Cancellation } from './cancellation.ts';

test('who listens hears of the end once, with its first reason', () => {
  const cancellation = new Cancellation();
  const heard: unknown[] = [];
  cancellation.addEventListener('abort', () => heard.push(cancellation.reason));
  cancellation.abort('first');
  cancellation.abort('second');
  expect([heard, cancellation.aborted, cancellation.reason]).toEqual([['first'], true, 'first']);
});

test('who does not listen any more hears nothing, also when another listener ends it', () => {
  const cancellation = new Cancellation();
  const heard: string[] = [];
  const listeners = ['a', 'b', 'c'].map((name) => () => void heard.push(name));
  for (const listener of listeners) cancellation.addEventListener('abort', listener);
  cancellation.removeEventListener('abort', listeners[1]!);
  cancellation.abort('over');
  expect(heard).toEqual(['a', 'c']);
});

test('its AbortSignal tells the same, asked for before the end or after', () => {
  const cancellation = new Cancellation();
  const before = cancellation.signal;
  const heard: unknown[] = [];
  before.addEventListener('abort', () => heard.push(before.reason));
  expect(before.aborted).toBe(false);
  cancellation.abort('over');
  expect([heard, before.aborted]).toEqual([['over'], true]);
  const late = new Cancellation();
  late.abort('too late');
  expect([late.signal.aborted, late.signal.reason]).toEqual([true, 'too late']);
  const { signal } = new AbortController();
  expect([abortSignalOf(cancellation), abortSignalOf(signal)]).toEqual([before, signal]);
});
