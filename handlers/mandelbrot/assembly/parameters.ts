import { Query, parseNumber } from 'workswap';

/** Reads parameters from a query and remembers the first that is wrong, so that a handler asks once, at the end. */
export class Parameters {
  /** What is wrong, for whoever wrote the query; empty when all is well. */
  problem: string = '';

  constructor(private query: Query) {}

  number(name: string, fallback: f64, min: f64, max: f64): f64 {
    if (!this.query.has(name)) return fallback;
    const value = parseNumber(this.query.get(name));
    if (!(value >= min && value <= max)) this.complain(name, 'a number', min, max);
    return value;
  }

  integer(name: string, fallback: i32, min: f64, max: f64): i32 {
    if (!this.query.has(name)) return fallback;
    const value = parseNumber(this.query.get(name));
    if (!(value >= min && value <= max && value == Math.floor(value))) {
      this.complain(name, 'a whole number', min, max);
      return fallback;
    }
    return <i32>value;
  }

  choice(name: string, fallback: string, names: string, isChoice: (name: string) => bool): string {
    const value = this.query.get(name, fallback);
    if (!isChoice(value)) this.say(name + ' must be one of ' + names);
    return value;
  }

  private complain(name: string, what: string, min: f64, max: f64): void {
    this.say(name + ' must be ' + what + ' from ' + readable(min) + ' to ' + readable(max));
  }

  private say(problem: string): void {
    if (this.problem.length == 0) this.problem = problem;
  }
}

/** A limit as people write it, to one decimal. Formatting any `f64` would be half of the module. */
function readable(value: f64): string {
  const whole = <i64>value;
  const tenths = <i32>Math.abs((value - <f64>whole) * 10);
  return tenths == 0 ? whole.toString() : whole.toString() + '.' + tenths.toString();
}
