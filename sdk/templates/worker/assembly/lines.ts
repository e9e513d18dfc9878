/** Counts bytes and line breaks of what comes in pieces. */
export class Lines {
  bytes: i64 = 0;
  lines: i64 = 0;

  add(piece: Uint8Array): void {
    this.bytes += piece.length;
    for (let i = 0; i < piece.length; i++) if (piece[i] == 0x0a) this.lines++;
  }
}
