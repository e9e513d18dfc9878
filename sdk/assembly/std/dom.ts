import { hostRandom, timeMs } from 'workswap/host';
import { log as lines } from 'workswap/log';

/*
 * What the standard library takes from a browser (`bindings/dom`), taken from the task: so `Date.now`, `Math.random`,
 * `performance.now`, `crypto.getRandomValues` and `console.log` work in a handler, and give the same in every run.
 */

export namespace Math {}

export namespace Date {
  export function now(): f64 {
    return <f64>timeMs();
  }
}

/** Time stands still while a job runs. */
export namespace performance {
  export function now(): f64 {
    return <f64>timeMs();
  }
}

export namespace crypto {
  export function getRandomValues(array: Uint8Array): void {
    hostRandom(array.dataStart, array.byteLength);
  }
}

export namespace console {
  export function assert(condition: bool, message: string): void {
    if (!condition) lines.error('Assertion failed: ' + message);
  }
  export function log(text: string): void {
    lines.info(text);
  }
  export function debug(text: string): void {
    lines.debug(text);
  }
  export function info(text: string): void {
    lines.info(text);
  }
  export function warn(text: string): void {
    lines.warn(text);
  }
  export function error(text: string): void {
    lines.error(text);
  }
  export function time(_label: string): void {}
  export function timeLog(label: string): void {
    lines.debug(label + ': 0 ms');
  }
  export function timeEnd(label: string): void {
    lines.debug(label + ': 0 ms');
  }
}
