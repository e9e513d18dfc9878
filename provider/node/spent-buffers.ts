/**
 * Buffers of the transports that are given back as soon as nobody needs them, instead of when V8 collects them. V8 counts
 * memory outside its heap and begins a full collection for every 64 MiB of it; a large block passes through four times its
 * size on its way through socket, noise and yamux, so that those collections were a third of the CPU time of who fetches.
 *
 * Only buffers that this code made, and that nobody else can have kept a view of, may be given back: a view of a spent
 * buffer is empty.
 */
const ours = new WeakSet<ArrayBufferLike>();

/** Smaller ones cost more to give back than to collect. */
const SPENT_BYTES_MIN = 4096;

/** Says that these bytes are a buffer of their own that was made by us. */
export function markOurs(bytes: Uint8Array): void {
  if (bytes.byteLength >= SPENT_BYTES_MIN && isWhole(bytes)) ours.add(bytes.buffer);
}

export function isOurs(buffer: ArrayBufferLike): boolean {
  return ours.has(buffer);
}

export function isWhole({ byteLength, buffer }: Uint8Array): boolean {
  return byteLength === buffer.byteLength;
}

/** The memory is free at once, and counted as such. Whatever views there are have no bytes from now on. */
export function giveBack(buffer: ArrayBufferLike): void {
  ours.delete(buffer);
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= SPENT_BYTES_MIN) buffer.transfer(0);
}
