import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { lookup } from 'mrmime';

export interface StaticFile {
  bytes: Uint8Array;
  type: string;
}

/** The file of a site at this path, percent-encoded as it came; a directory's is its index.html. */
export async function staticFile(site: string, path: string): Promise<StaticFile | undefined> {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  if (decoded.includes('\0') || decoded.includes('\\')) return undefined;
  if (decoded.split('/').some((segment) => segment === '..' || segment === '.')) return undefined;
  try {
    const root = await realpath(site);
    let file = await realpath(join(root, decoded.endsWith('/') ? `${decoded}index.html` : decoded));
    // A link may not lead out of the site: it would not be published either.
    if (!file.startsWith(root + sep)) return undefined;
    if ((await stat(file)).isDirectory()) return undefined;
    const type = lookup(file) ?? 'application/octet-stream';
    return { bytes: await readFile(file), type: type.startsWith('text/') ? `${type}; charset=utf-8` : type };
  } catch {
    return undefined;
  }
}
