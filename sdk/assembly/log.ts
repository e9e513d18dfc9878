import { allocate } from './bytes';
import { hostLog } from './host';
import { utf8LengthMax, utf8Write } from './utf8';

function write(level: i32, message: string): void {
  const text = changetype<usize>(allocate(utf8LengthMax(message)));
  hostLog(level, text, <i32>(utf8Write(message, text) - text));
}

/** Lines for whoever runs the handler: a provider may show them, drop them, or cut them off. No receipt has them. */
export namespace log {
  export function debug(message: string): void {
    write(0, message);
  }
  export function info(message: string): void {
    write(1, message);
  }
  export function warn(message: string): void {
    write(2, message);
  }
  export function error(message: string): void {
    write(3, message);
  }
}
