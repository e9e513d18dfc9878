import { HttpError } from '../http/index.ts';

export interface CarScope {
  scope: 'block' | 'entity' | 'all';
  /** Offsets of the first and the last byte; negative ones count from the end, an open end is undefined. */
  bytes: { from: number; to: number | undefined } | undefined;
}

/** `dag-scope` and `entity-bytes` of a query. @throws HttpError 400 */
export function carScope(query: URLSearchParams): CarScope {
  const scope = query.get('dag-scope');
  if (scope !== null && scope !== 'block' && scope !== 'entity' && scope !== 'all') {
    throw new HttpError(400, 'SCOPE_INVALID', `dag-scope=${scope} is none of block, entity, all`);
  }
  const text = query.get('entity-bytes');
  if (text === null) return { scope: scope ?? 'all', bytes: undefined };
  const match = /^(-?\d{1,15}):(-?\d{1,15}|\*)$/.exec(text);
  if (match === null) {
    throw new HttpError(400, 'RANGE_INVALID', `entity-bytes=${text} is not FROM:TO; it looks like 0:1023 or -1024:*`);
  }
  const from = Number(match[1]);
  const to = match[2] === '*' ? undefined : Number(match[2]);
  if (to !== undefined && from < 0 === to < 0 && to < from) {
    throw new HttpError(400, 'RANGE_INVALID', `entity-bytes=${text} ends before it begins`);
  }
  return { scope: 'entity', bytes: { from, to } };
}

/** The bytes `[start, end)` of a file of this size; undefined when none of them are there. */
export function bytesWithin(
  { from, to }: { from: number; to: number | undefined },
  size: number,
): { start: number; end: number } | undefined {
  const start = from < 0 ? Math.max(0, size + from) : from;
  const last = to === undefined ? size - 1 : to < 0 ? size + to : Math.min(to, size - 1);
  return start > last || start >= size ? undefined : { start, end: last + 1 };
}
