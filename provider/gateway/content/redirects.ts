import { HttpError } from '../http/index.ts';
import { REDIRECTS_BYTES_MAX } from './limits.ts';

/** One rule of a `_redirects` file. */
export interface RedirectRule {
  from: string[];
  hasSplat: boolean;
  to: string;
  status: number;
}

const STATUSES = new Set([200, 301, 302, 303, 307, 308, 404, 410, 451]);
const RULES_MAX = 2048;

/** @throws HttpError 500 that says which line is wrong */
export function parseRedirects(bytes: Uint8Array): RedirectRule[] {
  if (bytes.length > REDIRECTS_BYTES_MAX) {
    throw invalid(`redirects file size cannot exceed ${REDIRECTS_BYTES_MAX} bytes`);
  }
  const rules: RedirectRule[] = [];
  for (const [index, line] of Buffer.from(bytes).toString('utf8').split(/\r?\n/).entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    if (rules.length >= RULES_MAX) throw invalid(`it has more than ${RULES_MAX} rules`);
    rules.push(parseRule(text, index + 1));
  }
  return rules;
}

function parseRule(text: string, line: number): RedirectRule {
  const [from = '', to, code = '301', ...rest] = text.split(/\s+/);
  const hash = rest[0]?.startsWith('#') === true;
  if (to === undefined || (rest.length > 0 && !hash)) throw invalid(`line ${line} is not "from to [status]"`);
  if (code.endsWith('!')) throw invalid(`line ${line}: forced redirects (or "shadowing") are not supported`);
  const status = /^\d{3}$/.test(code) ? Number(code) : NaN;
  if (!STATUSES.has(status)) throw invalid(`line ${line}: unsupported redirect status ${code}`);
  if (!from.startsWith('/')) throw invalid(`line ${line}: "from" is a path that begins with /`);
  const isUrl = /^https?:\/\//i.test(to);
  if (!isUrl && !to.startsWith('/')) throw invalid(`line ${line}: "to" is a path that begins with /, or a URL of http`);
  if (isUrl && (status < 300 || status > 308)) throw invalid(`line ${line}: status ${code} needs a path of this site`);
  const segments = segmentsOf(from);
  const splat = segments.indexOf('*');
  if (from.includes('*') && splat !== segments.length - 1) throw invalid(`line ${line}: * is only allowed at the end`);
  return { from: splat < 0 ? segments : segments.slice(0, -1), hasSplat: splat >= 0, to, status };
}

/** The first rule that fits a path, with its placeholders filled in. */
export function matchRedirect(
  rules: readonly RedirectRule[],
  segments: readonly string[],
): { to: string; status: number } | undefined {
  for (const rule of rules) {
    const { from, hasSplat } = rule;
    if (hasSplat ? segments.length < from.length : segments.length !== from.length) continue;
    const values = new Map<string, string>();
    const fits = from.every((part, i) => {
      if (!part.startsWith(':')) return part === segments[i];
      values.set(part.slice(1), segments[i]!);
      return true;
    });
    if (!fits) continue;
    if (hasSplat) values.set('splat', segments.slice(from.length).join('/'));
    return { to: fill(rule.to, values), status: rule.status };
  }
  return undefined;
}

/** Values come from the visitor's path: they stay within the path, encoded, and cannot become a host. */
function fill(to: string, values: ReadonlyMap<string, string>): string {
  const filled = to.replaceAll(/:([A-Za-z_]\w*)/g, (whole, name: string) => {
    const value = values.get(name);
    return value === undefined ? whole : value.split('/').map(encodeURIComponent).join('/');
  });
  return to.startsWith('/') ? `/${filled.replace(/^[/\\]+/, '')}` : filled;
}

/** The target of a redirect with what the visitor's query had. */
export function withQuery(to: string, query: string): string {
  if (query === '') return to;
  const [, path = '', search, hash = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(to) ?? [];
  return `${path}${search === undefined ? '?' : `${search}&`}${query}${hash}`;
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function invalid(reason: string): HttpError {
  return new HttpError(500, 'REDIRECTS_INVALID', `could not parse _redirects: ${reason}`);
}
