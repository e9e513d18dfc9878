import { checkCid, PIN_STATUSES, type PinFilter, type PinRequest, type PinStatus } from '../../pinning/index.ts';
import { badRequest } from './failure.ts';

/** Limits of the specification. */
const LIMIT_DEFAULT = 10;
const LIMIT_MAX = 1000;
const CIDS_MAX = 10;
const NAME_LENGTH_MAX = 255;
const MATCHES = ['exact', 'iexact', 'partial', 'ipartial'] as const;

const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** The filters of `GET /pins`. @throws HttpError 400 */
export function readFilter(query: URLSearchParams): PinFilter {
  const one = (name: string): string | undefined => {
    const values = query.getAll(name);
    if (values.length > 1) throw badRequest(`"${name}" is there more than once`);
    return values[0];
  };
  const many = (name: string): string[] | undefined => {
    if (!query.has(name)) return undefined;
    // Version 1.0.0 puts commas between them, those before it repeated the name.
    const values = query.getAll(name).flatMap((value) => value.split(','));
    if (new Set(values).size < values.length) throw badRequest(`"${name}" has something twice`);
    return values;
  };
  const cids = many('cid');
  if (cids !== undefined && cids.length > CIDS_MAX) throw badRequest(`"cid" has more than ${CIDS_MAX} CIDs`);
  const name = one('name');
  if (name !== undefined && [...name].length > NAME_LENGTH_MAX) {
    throw badRequest(`"name" has more than ${NAME_LENGTH_MAX} characters`);
  }
  const meta = one('meta');
  return {
    cids: cids?.map(checkCid),
    name,
    match: oneOf('match', MATCHES, one('match')),
    statuses: many('status')?.map((status) => oneOf<PinStatus>('status', PIN_STATUSES, status)!) ?? byDefault(query),
    // Something may have been created in the millisecond that a finer time is in, before it.
    beforeMs: readTime('before', one('before'), 1),
    afterMs: readTime('after', one('after'), 0),
    meta: meta === undefined ? undefined : readMeta('meta', readJson('"meta"', meta)),
    limit: readLimit(one('limit')),
  };
}

/**
 * "When no filter is provided, only successful pins are returned": whoever asks for a certain pin is told of it, pinned or
 * not, as the published compliance checks ask.
 */
function byDefault(query: URLSearchParams): PinStatus[] | undefined {
  return ['cid', 'name', 'meta'].some((name) => query.has(name)) ? undefined : ['pinned'];
}

/** The Pin object that is sent to be pinned. @throws HttpError 400 */
export function readPin(body: Uint8Array): PinRequest {
  const pin = readJson('The body', new TextDecoder().decode(body));
  if (!isObject(pin)) throw badRequest('The body is not a Pin object');
  const { cid, name, origins = [], meta = {} } = pin;
  if (typeof cid !== 'string') throw badRequest('"cid" is missing, or no text');
  if (name !== undefined && typeof name !== 'string') throw badRequest('"name" is no text');
  if (!Array.isArray(origins) || !origins.every((origin) => typeof origin === 'string')) {
    throw badRequest('"origins" is no list of texts');
  }
  return { cid, name, origins: [...new Set(origins as string[])], meta: readMeta('meta', meta) };
}

function readMeta(field: string, meta: unknown): Record<string, string> {
  if (isObject(meta) && Object.values(meta).every((value) => typeof value === 'string')) {
    return meta as Record<string, string>;
  }
  throw badRequest(`"${field}" is no object of texts`);
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return LIMIT_DEFAULT;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > LIMIT_MAX) throw badRequest(`"limit" is a number from 1 to ${LIMIT_MAX}`);
  return limit;
}

function readTime(name: string, text: string | undefined, partMs: number): number | undefined {
  if (text === undefined) return undefined;
  const match = DATE_TIME.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(text);
  if (Number.isNaN(ms)) throw badRequest(`"${name}" is no date and time such as 2026-01-31T12:00:00Z`);
  const isFiner = /[1-9]/.test((match?.[1] ?? '').slice(3));
  return isFiner ? ms + partMs : ms;
}

function oneOf<T extends string>(name: string, known: readonly T[], text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  const found = known.find((value) => value === text);
  if (found === undefined) throw badRequest(`"${name}" is one of ${known.join(', ')}`);
  return found;
}

function readJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest(`${what} is not JSON`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
