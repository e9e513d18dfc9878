import { existsSync } from 'node:fs';
import { env } from 'node:process';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser of this machine: nothing is downloaded. WORKSWAP_CHROMIUM names another. */
export function chromiumPath(): string | undefined {
  const named = env['WORKSWAP_CHROMIUM'];
  if (named === undefined) return CANDIDATES.find((path) => existsSync(path));
  if (existsSync(named)) return named;
  throw new Error(`WORKSWAP_CHROMIUM names ${named}, and there is no such file`);
}
