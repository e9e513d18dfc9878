import type { Outcome } from '../sandbox/index.ts';

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** What `run` prints; `call` adds the receipt and the account. */
export function runJson(outcome: Outcome, priceBytes: number): Record<string, unknown> {
  const { status, headers, body, fuel, memoryPagesPeak, error } = outcome;
  return {
    status,
    headers,
    body: base64(body),
    fuel,
    memoryPagesPeak,
    priceBytes,
    ...(error === undefined ? {} : { error }),
  };
}

/** Bytes in the unit a person reads best. */
export function formatBytes(bytes: number): string {
  const sign = bytes < 0 ? '-' : '';
  let value = Math.abs(bytes);
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1024 || unit === 'GiB') return `${sign}${unit === 'B' ? value : value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return `${bytes} B`;
}

export function formatCount(value: number): string {
  return value.toLocaleString('en-US');
}

/** A plain table, numbers to the right. */
export function formatTable(head: string[], rows: (string | number)[][]): string {
  const cells = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const isNumber = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  return cells
    .map((row) =>
      row
        .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
