import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TaskQueue } from './task-queue.ts';

test('tasks come out in order, whatever order they went in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (tasks) => {
      const queue = new TaskQueue<number>((a, b) => a < b);
      for (const task of tasks) queue.push(task);
      const taken: number[] = [];
      for (let task = queue.pop(); task !== undefined; task = queue.pop()) taken.push(task);
      expect(taken).toEqual([...tasks].sort((a, b) => a - b));
      expect(queue.size).toBe(0);
    }),
  );
});
