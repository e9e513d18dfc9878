import { expect, test } from 'vitest';
import { keyOfCid } from '../../store/index.ts';
import { SeenTasks } from './seen-tasks.ts';
import { testTask } from './testing.ts';

const keys = Array.from({ length: 10_000 }, (_, i) => keyOfCid(testTask(i)));

test('every task that was seen is known, and of others hardly any', () => {
  const seen = new SeenTasks(60_000);
  for (const key of keys.slice(0, 5_000)) seen.add(key);
  expect(keys.slice(0, 5_000).filter((key) => !seen.mayHave(key))).toEqual([]);
  expect(keys.slice(5_000).filter((key) => seen.mayHave(key)).length).toBeLessThan(5);
});

test('a task is forgotten with its generation, not before the next one is over', () => {
  // Each begins a generation.
  const seen = new SeenTasks(-1);
  const [a, b, c] = keys as [string, string, string];
  const known = (): boolean[] => [a, b, c].map((key) => seen.mayHave(key));
  seen.add(a);
  seen.add(b);
  expect(known()).toEqual([true, true, false]);
  seen.add(c);
  expect(known()).toEqual([false, true, true]);
});
