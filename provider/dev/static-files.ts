import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { lookup } from 'mrmime';

export interface StaticFile {
  /** Where it is on disk. */
  file: string;
  size: number;
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
    const file = await realpath(join(root, decoded.endsWith('/') ? `${decoded}index.html` : decoded));
    // A link may not lead out of the site: it would not be published either.
    if (!file.startsWith(root + sep)) return undefined;
    const stats = await stat(file);
    if (!stats.isFile()) return undefined;
    const type = lookup(file) ?? 'application/octet-stream';
    return { file, size: stats.size, type: type.startsWith('text/') ? `${type}; charset=utf-8` : type };
  } catch {
    return undefined;
  }
}
