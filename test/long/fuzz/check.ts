import { MeterError, meter } from '../../../provider/metering/index.ts';
import type { MeterErrorCode } from '../../../provider/metering/index.ts';

export type Fate = 'metered' | MeterErrorCode;

/** Bytes that the meter may add to any module, and times that it may make one larger. */
const growthBytesMax = 4_096;
const growthMax = 40;

/** What the meter owes to any bytes at all; throws an error that says what it broke. */
export function check(bytes: Uint8Array): Fate {
  const valid = WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>);
  let metered: Uint8Array;
  try {
    metered = meter(bytes).bytes;
  } catch (error) {
    if (!(error instanceof MeterError)) throw broken('threw something without a code', bytes, error);
    if (valid && (error.code === 'INVALID_MODULE' || error.code === 'NOT_WASM')) {
      throw broken('calls a valid module invalid', bytes, error);
    }
    return error.code as Fate;
  }
  if (!valid) throw broken('accepted what is not valid', bytes);
  if (!WebAssembly.validate(metered as Uint8Array<ArrayBuffer>)) throw broken('made a valid module invalid', bytes);
  if (metered.length > bytes.length * growthMax + growthBytesMax) throw broken('made too much of a module', bytes);
  return 'metered';
}

function broken(what: string, bytes: Uint8Array, cause?: unknown): Error {
  return new Error(`the meter ${what}: ${Buffer.from(bytes).toString('base64')}`, { cause });
}
