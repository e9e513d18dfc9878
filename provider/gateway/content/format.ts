import type { IncomingHttpHeaders } from 'node:http';
import { HttpError, parseAccept } from '../http/index.ts';

export type Format = 'raw' | 'car' | 'ipns-record' | 'dag-json' | 'dag-cbor' | 'json' | 'cbor' | 'tar';

export interface CarParameters {
  order: 'dfs' | 'unk';
  dups: boolean;
}

export interface WantedFormat {
  format: Format | undefined;
  car: CarParameters;
  /** When Accept alone asked for the format: the query that asks for the same, which the answer names. */
  negotiated: Record<string, string> | undefined;
}

export const FORMAT_TYPES: Record<Format, string> = {
  raw: 'application/vnd.ipld.raw',
  car: 'application/vnd.ipld.car',
  'ipns-record': 'application/vnd.ipfs.ipns-record',
  'dag-json': 'application/vnd.ipld.dag-json',
  'dag-cbor': 'application/vnd.ipld.dag-cbor',
  json: 'application/json',
  cbor: 'application/cbor',
  tar: 'application/x-tar',
};

const FORMATS_BY_TYPE = new Map(Object.entries(FORMAT_TYPES).map(([format, type]) => [type, format as Format]));

/**
 * What a request asks for: `?format=` first, else the best entry of Accept that is one of ours. The parameters of a CAR
 * come from the query, else from Accept, also when `?format=car` asked.
 *
 * @throws HttpError 400 for a format nobody knows, 406 for parameters that we do not offer
 */
export function wantedFormat(headers: IncomingHttpHeaders, query: URLSearchParams): WantedFormat {
  const named = query.get('format');
  if (named !== null && !Object.hasOwn(FORMAT_TYPES, named)) {
    throw new HttpError(400, 'FORMAT_UNKNOWN', `format=${named} is none of ${Object.keys(FORMAT_TYPES).join(', ')}`);
  }
  const accepted = parseAccept(headers.accept);
  const entry = accepted.find(({ type }) => FORMATS_BY_TYPE.has(type));
  const format = (named as Format | null) ?? (entry === undefined ? undefined : FORMATS_BY_TYPE.get(entry.type));
  const isNegotiated = format !== undefined && named === null;
  if (format !== 'car') return { format, car: DEFAULT_CAR, negotiated: isNegotiated ? { format } : undefined };
  const offers = accepted.filter(({ type }) => type === FORMAT_TYPES.car).map(({ parameters }) => parameters);
  let refusal: HttpError | undefined;
  for (const parameters of offers.length > 0 ? offers : [{}]) {
    try {
      const car = carParameters(parameters, query);
      return { format, car, negotiated: isNegotiated ? { ...carQuery(parameters), format } : undefined };
    } catch (error) {
      refusal ??= error as HttpError;
    }
  }
  throw refusal!;
}

const DEFAULT_CAR: CarParameters = { order: 'dfs', dups: false };

function carParameters(parameters: Record<string, string>, query: URLSearchParams): CarParameters {
  const version = query.get('car-version') ?? parameters['version'] ?? '1';
  const order = query.get('car-order') ?? parameters['order'] ?? 'dfs';
  const dups = query.get('car-dups') ?? parameters['dups'] ?? 'n';
  if (version !== '1') throw unsupported('version', version, '1');
  if (order !== 'dfs' && order !== 'unk') throw unsupported('order', order, 'dfs, unk');
  if (dups !== 'y' && dups !== 'n') throw unsupported('dups', dups, 'y, n');
  return { order, dups: dups === 'y' };
}

function carQuery(parameters: Record<string, string>): Record<string, string> {
  const given = Object.entries(parameters).filter(([name]) => ['version', 'order', 'dups'].includes(name));
  return Object.fromEntries(given.map(([name, value]) => [`car-${name}`, value]));
}

function unsupported(name: string, value: string, offered: string): HttpError {
  return new HttpError(406, 'CAR_UNSUPPORTED', `A CAR with ${name}=${value} is not offered; ${name} can be ${offered}`);
}

/** IPLD codecs whose blocks are documents, with the formats that each is already in: all of DAG-JSON is JSON. */
export const DOCUMENT_FORMATS = new Map<number, readonly [own: Format, ...more: Format[]]>([
  [0x0129, ['dag-json', 'json']],
  [0x71, ['dag-cbor', 'cbor']],
  [0x0200, ['json']],
  [0x51, ['cbor']],
]);
