import { escapeHtml } from './escape.ts';
import { HttpError } from './errors.ts';
import { prefers } from './negotiate.ts';
import type { HttpReply, HttpRequest } from './types.ts';

const TITLES: Record<number, string> = {
  400: 'Bad request',
  402: 'Over credit',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  410: 'Gone',
  412: 'Not cached here',
  413: 'Too large',
  416: 'Range not satisfiable',
  421: 'Unknown host',
  429: 'Too many requests',
  451: 'Unavailable for legal reasons',
  500: 'Error',
  501: 'Not implemented',
  502: 'Bad gateway',
  503: 'Unavailable',
  504: 'Timeout',
};

/** An error as JSON, a page or a line of text: whatever the client prefers. What is not an HttpError is a plain 500. */
export function errorReply(request: HttpRequest, thrown: unknown): HttpReply {
  const error =
    thrown instanceof HttpError ? thrown : new HttpError(500, 'INTERNAL', 'This server failed; its log says why');
  const { status, code, message, retryable } = error;
  const headers = {
    ...error.headers,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    vary: 'Accept',
  };
  const type = prefers(request.headers.accept, ['text/plain', 'text/html', 'application/json']);
  if (type === 'application/json') {
    const body = JSON.stringify({ error: { code, message, retryable, ...error.details } });
    return { status, headers: { ...headers, 'content-type': 'application/json' }, body };
  }
  if (type === 'text/html') {
    const policy = "default-src 'none'; style-src 'unsafe-inline'";
    return {
      status,
      headers: { ...headers, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
      body: page(status, error),
    };
  }
  const details = Object.keys(error.details).length > 0 ? `${JSON.stringify(error.details)}\n` : '';
  return {
    status,
    headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' },
    body: `${message}\n${details}`,
  };
}

function page(status: number, { code, message, details }: HttpError): string {
  const title = `${status} ${TITLES[status] ?? 'Error'}`;
  const rows = Object.entries(details).map(
    ([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(JSON.stringify(value))}</dd>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${STYLE}</style>
<main><h1>${title}</h1><p>${escapeHtml(message)}</p>${rows.length > 0 ? `<dl>${rows.join('')}</dl>` : ''}<p><code>${code}</code></p></main></html>
`;
}

export const STYLE =
  ':root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0;background:Canvas;color:CanvasText}main{max-width:56rem;margin:3rem auto;padding:0 1rem}h1{font-size:1.4rem;overflow-wrap:anywhere}dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{opacity:.7}dd{margin:0}a{color:light-dark(#0553b1,#8ab4f8)}';
