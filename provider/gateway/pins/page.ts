import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OWN_PAGE_HEADERS, type HttpReply } from '../http/index.ts';

/** What the page is made of, by its path below the API's. Nothing else of the disk is served. */
const FILES: Record<string, { name: string; type: string }> = {
  '': { name: 'index.html', type: 'text/html; charset=utf-8' },
  '/': { name: 'index.html', type: 'text/html; charset=utf-8' },
  '/page.js': { name: 'page.js', type: 'text/javascript; charset=utf-8' },
  '/page.css': { name: 'page.css', type: 'text/css; charset=utf-8' },
};

/** A file of the page where pins are looked after with a token; undefined for any other path. */
export async function pageReply(path: string): Promise<HttpReply | undefined> {
  const file = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  if (file === undefined) return undefined;
  return {
    status: 200,
    headers: { ...OWN_PAGE_HEADERS, 'content-type': file.type },
    body: await readFile(join(import.meta.dirname, 'page', file.name)),
  };
}
