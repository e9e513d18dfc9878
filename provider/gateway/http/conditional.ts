/** Whether an If-None-Match header names one of these tags; weak and strong tags compare alike (RFC 9110, 13.1.2). */
export function matchesTag(header: string | undefined, tags: readonly string[]): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  const own = tags.map(opaque);
  for (const [, tag] of header.matchAll(/(?:W\/)?("[^"]*")/g)) {
    if (own.includes(tag!)) return true;
  }
  return false;
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

export interface ByteRange {
  start: number;
  /** Of the last byte. */
  end: number;
}

/**
 * The single range that a Range header asks for. Undefined when the whole should be sent: no range, a unit or a form that
 * we do not know, or several ranges, which we do not support; 'unsatisfiable' when nothing of it is there.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return undefined;
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}
