import type { StateReader } from './job-state.ts';

/**
 * What the engine needs from the world around it. Everything is synchronous, since the handler cannot wait, and nothing
 * is Node's, so that a browser can re-run a task with the same engine.
 */
export interface Host {
  /** The state that the job which runs started from; without it the state is empty. */
  state?: StateReader;
  /**
   * Bytes of the UnixFS file or raw block with this binary CID; fewer than `length` only at the end of the file.
   * Throws a `JobEnd` for what is a fact about the content (not a file), anything else for what is not (not found).
   */
  readFile(cid: Uint8Array, offset: number, length: number): Uint8Array;
  fileSize(cid: Uint8Array): number;
  sha256(bytes: Uint8Array): Uint8Array;
  /** Cofactorless Ed25519: true when R equals the encoding of [S]B - [k]A, and S is below the group's order. */
  ed25519Verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** Called before a job starts, so that nothing that was kept for the last one is seen by the next. */
  begin?(): void;
}
