import { hostRandom } from './host';
import { log } from './log';

export { abort } from './abort';

/** What `Math.random` starts from: the task's random stream, so every run of the task sees the same numbers. */
export function seed(): f64 {
  const bits = memory.data(8);
  hostRandom(bits, 8);
  return load<f64>(bits);
}

/** `trace('x', 2, a, b)`: a line in the job's log. */
export function trace(
  message: string,
  count: i32 = 0,
  a0: f64 = 0,
  a1: f64 = 0,
  a2: f64 = 0,
  a3: f64 = 0,
  a4: f64 = 0,
): void {
  let line = message;
  if (count > 0) line += ' ' + a0.toString();
  if (count > 1) line += ' ' + a1.toString();
  if (count > 2) line += ' ' + a2.toString();
  if (count > 3) line += ' ' + a3.toString();
  if (count > 4) line += ' ' + a4.toString();
  log.debug(line);
}
