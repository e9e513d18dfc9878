import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IncomingHttpHeaders } from 'node:http';
import { bearerOf, isToken } from '../gateway/http/index.ts';

const FILE = 'admin-token';
const COOKIE = 'workswap-admin';

/** The token that opens the admin page: kept in the data directory, so that bookmarks last; readable by its owner only. */
export async function adminToken(dataDir: string | undefined): Promise<string> {
  const fresh = randomBytes(24).toString('base64url');
  if (dataDir === undefined) return fresh;
  const path = join(dataDir, FILE);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${fresh}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    return fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const kept = (await readFile(path, 'utf8')).trim();
    // What a crash left half written would be a guessable token.
    if (kept.length >= 32) return kept;
    throw new Error(`${path} is damaged; delete it, and the next start makes a new one`, { cause: error });
  }
}

export function isAuthorized({ authorization, cookie }: IncomingHttpHeaders, token: string): boolean {
  const bearer = bearerOf(authorization);
  const kept = (cookie ?? '').split(/; */).find((pair) => pair.startsWith(`${COOKIE}=`));
  return isToken(bearer ?? kept?.slice(COOKIE.length + 1), token);
}

/** The page's address carries the token once; then the browser has it. */
export function tokenCookie(token: string): string {
  return `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict`;
}
