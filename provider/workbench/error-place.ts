/** Where a handler gave up. Lines and columns count from 1. */
export interface ErrorPlace {
  /** As the compiler saw it: relative to the handler's directory, or `~lib/...` for the libraries. */
  file: string;
  line: number;
  column: number;
}

/** Reads the place that the SDK's `abort` puts behind a message: `no such page (pages.ts:12:5)`. */
export function placeOf(message: string): ErrorPlace | undefined {
  const match = /\((?<file>[^()\n]{1,1000}):(?<line>\d{1,9}):(?<column>\d{1,9})\)$/.exec(message)?.groups;
  if (match === undefined) return undefined;
  return { file: match['file']!, line: Number(match['line']), column: Number(match['column']) };
}
