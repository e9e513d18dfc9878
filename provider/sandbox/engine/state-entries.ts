import type { StateEntry } from '../types.ts';

/** Kind, nothing, length of the name, nothing, size: what stands before a name. */
const HEAD_BYTES = 16;
/** No entry takes less. */
export const ENTRY_BYTES_MIN = HEAD_BYTES + 1;

const encoder = new TextEncoder();

/** Writes an entry as `state_list` answers it; answers its bytes, 0 when it does not fit. */
export function writeEntry(target: Uint8Array, { name, kind, size }: StateEntry): number {
  const encoded = encoder.encode(name);
  const length = HEAD_BYTES + encoded.length;
  if (length > target.length) return 0;
  const view = new DataView(target.buffer, target.byteOffset, HEAD_BYTES);
  view.setUint8(0, kind === 'directory' ? 1 : 0);
  view.setUint8(1, 0);
  view.setUint16(2, encoded.length, true);
  view.setUint32(4, 0, true);
  view.setBigUint64(8, BigInt(size), true);
  target.set(encoded, HEAD_BYTES);
  return length;
}
