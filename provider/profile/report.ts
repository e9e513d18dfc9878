import type { Profile } from './profile.ts';

const ROWS_MAX = 15;
const TEXT_WIDTH = 60;

/** The profile as a person reads it in a terminal: the dearest functions, then the dearest lines. */
export function reportOf({ fuel, functions, lines }: Profile): string {
  const share = (part: number): string => `${((part / Math.max(1, fuel)) * 100).toFixed(1)}%`;
  const blocks = [
    table(
      ['self', '', 'total', '', 'calls', 'function'],
      functions
        .slice(0, ROWS_MAX)
        .map(({ name, self, total, calls }) => [
          grouped(self),
          share(self),
          grouped(total),
          share(total),
          grouped(calls),
          name,
        ]),
    ),
  ];
  if (functions.length > ROWS_MAX) blocks.push(`... and ${functions.length - ROWS_MAX} functions more`);
  if (lines.length > 0) {
    const rows = lines
      .slice(0, ROWS_MAX)
      .map(({ file, line, text = '', fuel: burnt }) => [
        grouped(burnt),
        share(burnt),
        line === 0 ? file : `${file}:${line}`,
        text.length > TEXT_WIDTH ? `${text.slice(0, TEXT_WIDTH - 1)}…` : text,
      ]);
    blocks.push('', table(['fuel', '', 'line', ''], rows));
    if (lines.length > ROWS_MAX) blocks.push(`... and ${lines.length - ROWS_MAX} lines more`);
  } else {
    blocks.push('', 'For lines, build with `workswap build --source-map` and keep FILE.wasm.map beside FILE.wasm.');
  }
  return `${grouped(fuel)} fuel\n\n${blocks.join('\n')}\n`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** Columns of figures to the right, of words to the left. What a module calls its functions may hold anything. */
function table(head: string[], rows: string[][]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replace(/\p{Cc}/gu, '?')));
  const isFigure = head.map((_, column) => rows.every((row) => /^[\d.,%]+$/.test(row[column] as string)));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] as string).length)));
  return cells
    .map((row) =>
      row
        .map((cell, i) => (isFigure[i] ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
