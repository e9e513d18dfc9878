/**
 * The part of DAG-CBOR that a request and a response head use.
 *
 * The reader is a cursor in this module's variables (a job is one thread, and nothing here recurses), which keeps the
 * smallest handlers small. It works on bytes from strangers: after the first fault it stands at its end, and every
 * step consumes at least one byte or fails, so no input can make it run long or read outside its range.
 */

export const MAJOR_BYTES: i32 = 2;
export const MAJOR_TEXT: i32 = 3;
export const MAJOR_MAP: i32 = 5;

/** Where the next item begins. */
export let cborAt: usize = 0;
/** What the last head said: a length, a count or a number. */
export let cborArgument: u32 = 0;
/** Whether the input turned out not to be what was asked for. */
export let cborBad: bool = false;

let cborEnd: usize = 0;

/** Puts the cursor on the items between `start` and `end`. */
export function cborOpen(start: usize, end: usize): void {
  cborAt = start;
  cborEnd = end;
  cborBad = false;
}

export function cborFault(): i32 {
  cborAt = cborEnd;
  cborArgument = 0;
  cborBad = true;
  return -1;
}

/** Reads one item's head, and for bytes and text makes sure that all of them are there. Returns the major type. */
export function cborHead(): i32 {
  let at = cborAt;
  const end = cborEnd;
  if (at >= end) return cborFault();
  const first: u32 = load<u8>(at++);
  let argument = first & 31;
  if (argument > 23) {
    if (argument > 27) return cborFault();
    let left = 1 << (argument - 24);
    if (left > <i32>(end - at)) return cborFault();
    // Of eight bytes the low four are kept: only times are as long, and those are asked from the host.
    argument = 0;
    for (; left > 0; left--) argument = (argument << 8) | load<u8>(at++);
  }
  const major = first >> 5;
  if ((major & 6) == 2 && argument > <u32>(end - at)) return cborFault();
  cborAt = at;
  cborArgument = argument;
  return major;
}

/** Skips one item with everything in it. */
export function cborSkip(): void {
  for (let pending: u64 = 1; pending > 0 && !cborBad; pending--) {
    const major = cborHead();
    if ((major & 6) == 2) cborAt += cborArgument;
    if (major == 4 || major == MAJOR_MAP) pending += (<u64>cborArgument) << (major & 1);
    if (major == 6) pending++;
  }
}

/** Reads bytes or text: returns where they begin, their length being `cborArgument`; 0 bytes for anything else. */
export function cborString(major: i32): usize {
  if (cborHead() != major) cborFault();
  const start = cborAt;
  cborAt = start + cborArgument;
  return start;
}

/** Writes an item's head at `dst` in its shortest form and returns where it ends. */
export function cborWriteHead(major: i32, argument: u32, dst: usize): usize {
  let size = 0;
  let first = argument;
  if (argument > 23) {
    first = argument < 0x100 ? 24 : argument < 0x10000 ? 25 : 26;
    size = 1 << (first - 24);
  }
  store<u8>(dst++, (major << 5) | first);
  while (size > 0) store<u8>(dst++, argument >> (--size << 3));
  return dst;
}
