/** What is in a TAR, one line for each entry: kind, mode, name, target, bytes in base64. Times are left out. */
export function tarEntries(tar: Buffer): string[] {
  const lines: string[] = [];
  let extended: Record<string, string> = {};
  for (let at = 0; at < tar.length && tar[at] !== 0;) {
    const header = tar.subarray(at, at + 512);
    const text = (from: number, length: number): string => header.toString('utf8', from, from + length).split('\0')[0]!;
    const size = Number(extended['size'] ?? Number.parseInt(text(124, 12), 8));
    const body = tar.subarray(at + 512, at + 512 + size);
    const kind = text(156, 1);
    at += 512 * (1 + Math.ceil(size / 512));
    if (kind === 'x') {
      extended = Object.fromEntries(
        body
          .toString()
          .matchAll(/\d+ ([^=\n]+)=([^\n]*)\n/g)
          .map(([, key, value]) => [key, value]),
      );
      continue;
    }
    const prefix = text(345, 155);
    const name = extended['path'] ?? (prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`);
    const target = extended['linkpath'] ?? text(157, 100);
    lines.push([kind, text(100, 7), name.replace(/\/$/, ''), target, body.toString('base64')].join(' '));
    extended = {};
  }
  return lines;
}
