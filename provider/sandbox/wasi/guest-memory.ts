import type { JobContext } from '../engine/job-context.ts';
import { ERRNO, WASI_LIMITS, WASI_PRICES } from './constants.ts';
import { Errno } from './errno.ts';
import type { WasiCall } from './signatures.ts';

/** The handler's memory, in the shapes that WASI passes it. */
export class GuestMemory {
  readonly #context: JobContext;

  constructor(context: JobContext) {
    this.#context = context;
  }

  bytes(call: WasiCall, pointer: number, length: number): Uint8Array {
    return this.#context.bytes(call, pointer, length);
  }

  view(call: WasiCall, pointer: number, length: number): DataView {
    const { buffer, byteOffset } = this.bytes(call, pointer, length);
    return new DataView(buffer, byteOffset, length);
  }

  cleared(call: WasiCall, pointer: number, length: number): DataView {
    this.bytes(call, pointer, length).fill(0);
    return this.view(call, pointer, length);
  }

  setUint32(call: WasiCall, pointer: number, value: number): number {
    this.view(call, pointer, 4).setUint32(0, value, true);
    return ERRNO.SUCCESS;
  }

  setUint64(call: WasiCall, pointer: number, value: bigint): number {
    this.view(call, pointer, 8).setBigUint64(0, value, true);
    return ERRNO.SUCCESS;
  }

  /** The buffers of a read or write, all checked before any is used. @throws Errno INVAL when there are too many */
  ranges(call: WasiCall, pointer: number, count: number): Uint8Array[] {
    const size = count >>> 0;
    if (size > WASI_LIMITS.buffersMax) throw new Errno('INVAL');
    this.#context.burn(WASI_PRICES.element * size);
    const table = this.view(call, pointer, size * 8);
    return Array.from({ length: size }, (_, i) =>
      this.bytes(call, table.getUint32(i * 8, true), table.getUint32(i * 8 + 4, true)),
    );
  }
}
