import type { MemoryState } from '../workbench/index.ts';

/** The state that a test's handler works on. */
export class TestState {
  readonly #state: MemoryState;

  constructor(state: MemoryState) {
    this.#state = state;
  }

  /** The paths of all files, sorted by their bytes. */
  files(): string[] {
    return this.#state.paths();
  }

  bytes(path: string): Uint8Array | undefined {
    return this.#state.file(path)?.slice();
  }

  text(path: string): string | undefined {
    const bytes = this.#state.file(path);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  /** Puts a file there, as if an update had written it. */
  set(path: string, content: string | Uint8Array): void {
    this.#state.set(path, contentOf(content));
  }

  /** Removes a file, or a directory with all that is in it. */
  remove(path: string): void {
    this.#state.remove(path);
  }
}

export function contentOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content.slice();
}
