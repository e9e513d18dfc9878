/** Lines that are compared pair by pair; larger differences are shown as all the old lines and then all the new. */
const PAIRS_MAX: i32 = 400_000;

export const KEPT: i32 = 0;
export const REMOVED: i32 = 1;
export const ADDED: i32 = 2;

export class DiffLine {
  constructor(
    public kind: i32,
    public text: string,
  ) {}
}

/** What became of the lines of `before` in `after`: the fewest removed and added. */
export function diffLines(before: string, after: string): DiffLine[] {
  const old = before.split('\n');
  const now = after.split('\n');
  const result = new Array<DiffLine>();
  let start = 0;
  while (start < old.length && start < now.length && old[start] == now[start]) {
    result.push(new DiffLine(KEPT, old[start++]));
  }
  let same = 0;
  while (same < min(old.length, now.length) - start && old[old.length - 1 - same] == now[now.length - 1 - same]) same++;
  compare(old, start, old.length - same, now, start, now.length - same, result);
  for (let i = old.length - same; i < old.length; i++) result.push(new DiffLine(KEPT, old[i]));
  return result;
}

function compare(
  old: string[],
  oldAt: i32,
  oldEnd: i32,
  now: string[],
  nowAt: i32,
  nowEnd: i32,
  into: DiffLine[],
): void {
  const width = nowEnd - nowAt + 1;
  const height = oldEnd - oldAt + 1;
  if (<i64>width * <i64>height <= PAIRS_MAX) {
    // Longest common subsequence of what follows, for each pair of lines.
    const common = new StaticArray<u16>(width * height);
    for (let i = height - 2; i >= 0; i--) {
      for (let j = width - 2; j >= 0; j--) {
        const below = common[(i + 1) * width + j];
        const right = common[i * width + j + 1];
        const isSame = old[oldAt + i] == now[nowAt + j];
        common[i * width + j] = isSame ? common[(i + 1) * width + j + 1] + 1 : max(below, right);
      }
    }
    let i = 0;
    let j = 0;
    while (i < height - 1 && j < width - 1) {
      if (old[oldAt + i] == now[nowAt + j]) {
        into.push(new DiffLine(KEPT, old[oldAt + i++]));
        j++;
      } else if (common[(i + 1) * width + j] >= common[i * width + j + 1]) {
        into.push(new DiffLine(REMOVED, old[oldAt + i++]));
      } else {
        into.push(new DiffLine(ADDED, now[nowAt + j++]));
      }
    }
    oldAt += i;
    nowAt += j;
  }
  for (; oldAt < oldEnd; oldAt++) into.push(new DiffLine(REMOVED, old[oldAt]));
  for (; nowAt < nowEnd; nowAt++) into.push(new DiffLine(ADDED, now[nowAt]));
}
