import { HttpError } from '../http/index.ts';
import { PATH_SEGMENTS_MAX } from './limits.ts';

export interface ContentPath {
  segments: string[];
  /** True when the path ended in a slash, which asks for a directory. */
  hasSlash: boolean;
}

/** The part of a URL's path behind its root. @throws HttpError 400 */
export function parsePath(encoded: string): ContentPath {
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    throw new HttpError(400, 'PATH_INVALID', 'The path is not percent-encoded UTF-8');
  }
  if (path.includes('\0')) throw new HttpError(400, 'PATH_INVALID', 'A path has no NUL');
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.length > PATH_SEGMENTS_MAX) {
    throw new HttpError(400, 'PATH_INVALID', `A path has at most ${PATH_SEGMENTS_MAX} segments`);
  }
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new HttpError(400, 'PATH_INVALID', 'A path has no segments . and ..');
  }
  return { segments, hasSlash: path.endsWith('/') };
}

export function encodeSegments(segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeSegment(segment)}`).join('');
}

/** Everything but the unreserved characters of RFC 3986. */
export function encodeSegment(segment: string): string {
  return encodeURIComponent(segment.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Splits a request's target into path and query. */
export function splitTarget(target: string): { path: string; query: string } {
  const at = target.indexOf('?');
  return at < 0 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at + 1) };
}
