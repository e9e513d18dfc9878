/**
 * The runtime `stub`, in place of the compiler's own: memory is handed out from front to back and given back only when
 * it was the last to be handed out, which is all that a job needs, since it ends soon and its instance with it.
 * Memory grows by what is missing and not by doubling, because a job pays for its peak.
 * What lies before an object is the compiler's contract: its block's size, two words for a collector, class id, size.
 */

import { hostFail } from 'workswap/host';

// @ts-ignore: decorator
@inline const BLOCK_HEAD: usize = 4;
// @ts-ignore: decorator
@inline const OBJECT_HEAD: usize = 16;
// @ts-ignore: decorator
@inline const SIZE_MAX: usize = 1 << 30;

// @ts-ignore: decorator
@lazy let next: usize = (__heap_base + BLOCK_HEAD + 15) & ~15;

/** Says it without memory to say it with. */
function outOfMemory(): void {
  hostFail(memory.data<u8>([0x6f, 0x75, 0x74, 0x20, 0x6f, 0x66, 0x20, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79]), 13);
  unreachable();
}

/** Makes [block, end) the last block, and everything behind it free. */
function setLast(block: usize, size: usize): void {
  if (size > SIZE_MAX) unreachable();
  const after = (block + size + BLOCK_HEAD + 15) & ~15;
  if (after < block) unreachable();
  const missing = <i32>((after + 0xffff) >>> 16) - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) outOfMemory();
  store<usize>(block - BLOCK_HEAD, after - BLOCK_HEAD - block);
  next = after;
}

// @ts-ignore: decorator
@unsafe @global
export function __alloc(size: usize): usize {
  const block = next;
  setLast(block, size);
  return block;
}

// @ts-ignore: decorator
@unsafe @global
export function __realloc(block: usize, size: usize): usize {
  const room = load<usize>(block - BLOCK_HEAD);
  if (block + room + BLOCK_HEAD == next) {
    setLast(block, size);
  } else if (size > room) {
    // Room for as much again: whoever grows once grows often.
    const moved = __alloc(max(size, room << 1));
    memory.copy(moved, block, room);
    return moved;
  }
  return block;
}

// @ts-ignore: decorator
@unsafe @global
export function __free(block: usize): void {
  if (block + load<usize>(block - BLOCK_HEAD) + BLOCK_HEAD == next) next = block;
}

// @ts-ignore: decorator
@unsafe @global
export function __new(size: usize, id: u32): usize {
  if (size > SIZE_MAX) unreachable();
  const object = __alloc(size + OBJECT_HEAD) + OBJECT_HEAD;
  store<u64>(object - 16, 0);
  store<u32>(object - 8, id);
  store<u32>(object - 4, <u32>size);
  return object;
}

// @ts-ignore: decorator
@unsafe @global
export function __renew(object: usize, size: usize): usize {
  if (size > SIZE_MAX) unreachable();
  const moved = __realloc(object - OBJECT_HEAD, size + OBJECT_HEAD) + OBJECT_HEAD;
  store<u32>(moved - 4, <u32>size);
  return moved;
}

// @ts-ignore: decorator
@unsafe @global
export function __reset(): void {
  next = (__heap_base + BLOCK_HEAD + 15) & ~15;
}

// There is no collector, so nothing to tell it.

// @ts-ignore: decorator
@unsafe @global
export function __link(_parent: usize, _child: usize, _many: bool): void {}

// @ts-ignore: decorator
@unsafe @global
export function __pin(object: usize): usize {
  return object;
}

// @ts-ignore: decorator
@unsafe @global
export function __unpin(_object: usize): void {}

// @ts-ignore: decorator
@unsafe @global
function __visit(_object: usize, _cookie: u32): void {}

// @ts-ignore: decorator
@unsafe @global
export function __collect(): void {}
