import { allocate } from './bytes';
import { stateList, stateRead, stateRemove, stateStat, stateWrite } from './host';
import { StateEntry } from './state-entry';
import { utf8Decode, utf8LengthMax, utf8Write } from './utf8';

/** What `state_list` writes before an entry's name. */
const ENTRY_HEAD: i32 = 16;
const LIST_BYTES_MIN: i32 = 512;
const LIST_BYTES_MAX: i32 = 16 * 1024;

// The bytes of the path that a call is about; a call ends before the next begins.
let path: usize = 0;
let pathLength: i32 = 0;

function setPath(text: string): void {
  path = changetype<usize>(allocate(utf8LengthMax(text)));
  pathLength = <i32>(utf8Write(text, path) - path);
}

/**
 * The service's files. A path is relative, its segments joined by `/`: `pages/home.md`; the empty path is the root, for
 * `list` only. Directories exist as long as there is a file in them. Reads see the job's own writes. In a query (GET,
 * HEAD) writing ends the job; when an update fails, nothing of it is kept.
 */
export namespace state {
  /** The bytes of a file, or null when there is none. */
  export function read(file: string): Uint8Array | null {
    const length = size(file);
    if (length < 0) return null;
    const bytes = allocate(<i32>length);
    stateRead(path, pathLength, 0, changetype<usize>(bytes), <i32>length);
    return Uint8Array.wrap(bytes);
  }

  /** A file as text, or null when there is none. */
  export function readText(file: string): string | null {
    const bytes = read(file);
    return bytes === null ? null : utf8Decode(bytes.dataStart, bytes.byteLength);
  }

  /** Replaces a file, or makes it with all the directories on its way. */
  export function write(file: string, bytes: Uint8Array): void {
    setPath(file);
    stateWrite(path, pathLength, bytes.dataStart, bytes.byteLength);
  }

  export function writeText(file: string, text: string): void {
    setPath(file);
    const bytes = changetype<usize>(allocate(utf8LengthMax(text)));
    stateWrite(path, pathLength, bytes, <i32>(utf8Write(text, bytes) - bytes));
  }

  /** Removes a file, or a directory with all that is in it; false when there was nothing. */
  export function remove(file: string): bool {
    setPath(file);
    return stateRemove(path, pathLength) != 0;
  }

  /** Whether there is a file or a directory. */
  export function exists(file: string): bool {
    setPath(file);
    return stateStat(path, pathLength) != -1;
  }

  /** Bytes of a file; -1 when there is nothing, -2 for a directory. */
  export function size(file: string): i64 {
    setPath(file);
    return stateStat(path, pathLength);
  }

  /**
   * What is in a directory, at most `limit` entries in the order of their names' bytes, those behind the name `after`
   * only: give it the last name of a list to get the next one. Empty when there is no such directory.
   */
  export function list(directory: string, after: string = '', limit: i32 = 100): StateEntry[] {
    const entries: StateEntry[] = [];
    setPath(directory);
    const room = min(max(limit, 1), LIST_BYTES_MAX / 64) * 64;
    const bytesMax = max(room, LIST_BYTES_MIN);
    const buffer = changetype<usize>(allocate(bytesMax));
    // A name has at most 255 bytes, but `after` may be anything.
    let last = changetype<usize>(allocate(utf8LengthMax(after)));
    let lastLength = <i32>(utf8Write(after, last) - last);
    while (entries.length < limit) {
      const length = stateList(path, pathLength, last, lastLength, buffer, bytesMax);
      if (length <= 0) break;
      for (let at = buffer, end = buffer + length; at < end; at += ENTRY_HEAD + lastLength) {
        lastLength = load<u16>(at, 2);
        if (entries.length == limit) break;
        const name = utf8Decode(at + ENTRY_HEAD, lastLength);
        entries.push(new StateEntry(name, load<i64>(at, 8), load<u8>(at) == 1));
        last = at + ENTRY_HEAD;
      }
    }
    return entries;
  }
}
