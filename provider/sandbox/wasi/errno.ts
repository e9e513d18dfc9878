import { ERRNO } from './constants.ts';

/** What is wrong with a call, for the program that made it to handle. */
export class Errno extends Error {
  readonly number: number;

  constructor(name: keyof typeof ERRNO) {
    super(name);
    this.number = ERRNO[name];
  }
}
