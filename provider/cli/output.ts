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

/** Bytes in at most eight characters and a sign, for tables. */
export function shortBytes(bytes: number): string {
  let value = Math.abs(bytes);
  let unit = 0;
  // 1023.5 and more would be shown as 1024.
  for (; value >= 1023.5 && unit < UNITS.length - 1; unit++) value /= 1024;
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${bytes < 0 ? '-' : ''}${value.toFixed(digits)} ${UNITS[unit]}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** The end of a peer id tells peers apart; all of them begin alike. */
export function shortPeer(peer: string): string {
  return peer.length <= 9 ? peer : `…${peer.slice(-8)}`;
}

export function formatAgo(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** A plain table, numbers to the right, and the columns named in `right`. */
export function formatTable(
  head: string[],
  rows: (string | number)[][],
  { right = [] }: { right?: readonly number[] } = {},
): string {
  const cells = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const isNumber = head.map(
    (_, column) => right.includes(column) || (rows.length > 0 && rows.every((row) => typeof row[column] === 'number')),
  );
  return cells
    .map((row) =>
      row
        .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
