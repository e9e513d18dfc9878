import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the SDK's AssemblyScript lies: what `import ... from 'workswap'` means in a handler. */
export const SDK_DIRECTORY = fileURLToPath(new URL('../assembly/', import.meta.url));

const SDK_PREFIX = '~lib/workswap/';

/**
 * The compiler looks for packages in every `node_modules` upwards; wherever it looks for `workswap`, it finds this SDK,
 * so a handler builds the same with and without an installed package.
 */
export function sourcePath(name: string, baseDirectory: string): string {
  const inPackage = /(?:^|[\\/])node_modules[\\/]workswap[\\/](.+)$/.exec(name)?.[1];
  return inPackage === undefined ? path.resolve(baseDirectory, name) : path.join(SDK_DIRECTORY, inPackage);
}

/** A source as people know it: the SDK's files by their import path, all others by where they lie on disk. */
export function displayPath(normalizedPath: string, baseDirectory: string): string {
  if (normalizedPath.startsWith(SDK_PREFIX)) return normalizedPath.slice('~lib/'.length);
  return normalizedPath.startsWith('~lib/') ? normalizedPath : path.resolve(baseDirectory, normalizedPath);
}
