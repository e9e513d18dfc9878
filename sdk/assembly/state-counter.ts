import { state } from './state';

/** A whole number in one file of the state, as decimal digits; 0 until something is added. */
export class Counter {
  constructor(private file: string) {}

  get value(): i64 {
    const text = state.readText(this.file);
    return text === null ? 0 : I64.parseInt(text);
  }

  /** Adds `n` and returns the new value. */
  add(n: i64 = 1): i64 {
    const value = this.value + n;
    state.writeText(this.file, value.toString());
    return value;
  }
}
