import { state } from './state';
import { percentEncode, urlDecode } from './url';

/** Bytes of a file's name at most. */
const NAME_BYTES_MAX: i32 = 255;

/** What may stand in a file's name as it is, here and on the machines that a state may be copied to. */
function isPlain(code: i32): bool {
  return (
    code > 0x20 &&
    code != 0x22 &&
    code != 0x25 &&
    code != 0x2a &&
    code != 0x2f &&
    code != 0x3a &&
    code != 0x3c &&
    code != 0x3e &&
    code != 0x3f &&
    code != 0x5c &&
    code != 0x7c &&
    code != 0x7f
  );
}

/**
 * Texts by key, one file of the state for each: `DIRECTORY/KEY`, what no file's name may hold percent-encoded. Any text
 * of at most 255 bytes (a little less with such characters) is a key.
 */
export class StateMap {
  constructor(private directory: string) {}

  get(key: string): string | null {
    return state.readText(this.file(key));
  }

  set(key: string, value: string): void {
    state.writeText(this.file(key), value);
  }

  /** False when there was nothing. */
  delete(key: string): bool {
    return state.remove(this.file(key));
  }

  has(key: string): bool {
    return state.size(this.file(key)) >= 0;
  }

  /** Keys in the order of their files' names, at most `limit`, those behind `after` only. */
  keys(after: string = '', limit: i32 = 100): string[] {
    const entries = state.list(this.directory, after.length == 0 ? '' : nameOf(after), limit);
    const keys: string[] = [];
    for (let i = 0; i < entries.length; i++) {
      const name = entries[i].name;
      keys.push(name == '%' ? '' : urlDecode(name));
    }
    return keys;
  }

  private file(key: string): string {
    return this.directory + '/' + nameOf(key);
  }
}

function nameOf(key: string): string {
  // Three names that no file may have, or that mean something else.
  if (key.length == 0) return '%';
  if (key == '.') return '%2E';
  if (key == '..') return '%2E%2E';
  const name = percentEncode(key, isPlain);
  if (String.UTF8.byteLength(name) > NAME_BYTES_MAX) {
    throw new Error('a key of a StateMap has at most 255 bytes; this one begins ' + key.substring(0, 40));
  }
  return name;
}
