/** One name in a directory of the state. */
export class StateEntry {
  constructor(
    public name: string,
    /** Bytes of a file, 0 for a directory. */
    public size: i64,
    public isDirectory: bool,
  ) {}
}
