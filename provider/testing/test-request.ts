import type { CallRequest } from '../../sdk/client/index.ts';

/** A form's fields are sent as a browser sends them. */
export type TestBody = string | Uint8Array | URLSearchParams | Readonly<Record<string, string>>;

export interface TestRequest {
  headers?: Readonly<Record<string, string>>;
  cookies?: Readonly<Record<string, string>>;
  body?: TestBody;
  /** A body that is sent as JSON, in place of `body`. */
  json?: unknown;
}

/** A message for a handler's `deliver`. */
export interface TestMessage {
  /** The service or peer that sends it; by default one that nobody is. */
  from?: string;
  /** When it was sent; by default at the time of the site. */
  timeMs?: number;
  /** How many messages may follow from it; by default as from every first message. */
  followUps?: number;
}

/** A request as a handler gets it. */
export function toCallRequest(
  method: string,
  path: string,
  { headers = {}, cookies, body, json }: TestRequest,
): CallRequest {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value;
  if (cookies !== undefined) {
    all['cookie'] = Object.entries(cookies)
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join('; ');
  }
  const request: CallRequest = { method: method.toUpperCase(), path, headers: all };
  if (json !== undefined) {
    all['content-type'] ??= 'application/json';
    request.body = JSON.stringify(json);
  } else if (typeof body === 'string' || body instanceof Uint8Array) {
    request.body = body;
  } else if (body !== undefined) {
    all['content-type'] ??= 'application/x-www-form-urlencoded';
    request.body = new URLSearchParams(body).toString();
  }
  return request;
}
