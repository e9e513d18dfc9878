import { access, cp, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProjectError } from './errors.ts';

export const TEMPLATES = ['hello', 'site', 'api', 'guestbook', 'worker'] as const;
export type Template = (typeof TEMPLATES)[number];

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));
const TEMPLATES_DIRECTORY = join(PACKAGE, 'sdk', 'templates');
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

export interface NewProject {
  directory: string;
  /** False when the packages have to be installed first. */
  isReady: boolean;
}

/**
 * Makes a project from a template, in a directory that must not exist yet. From a checkout the project depends on the
 * checkout and finds all packages there, so it builds at once; otherwise `npm install` brings them.
 *
 * @throws ProjectError when the name is no name or the directory exists
 */
export async function newProject(directory: string, name: string, template: Template): Promise<NewProject> {
  if (!NAME.test(name)) {
    throw new ProjectError(
      directory,
      `${JSON.stringify(name)} is no name for a project: lower-case letters, digits and dashes, at most 63, and no dash first`,
    );
  }
  await mkdir(dirname(directory), { recursive: true });
  await mkdir(directory).catch((cause: NodeJS.ErrnoException) => {
    throw new ProjectError(
      directory,
      cause.code === 'EEXIST'
        ? `${directory} exists already; a new project needs a directory of its own`
        : `${directory} cannot be made: ${cause.message}`,
      cause,
    );
  });
  const isCheckout = !PACKAGE.split(sep).includes('node_modules');
  const values = await versions(name, isCheckout);
  await fill(join(TEMPLATES_DIRECTORY, 'common'), directory, values);
  await fill(join(TEMPLATES_DIRECTORY, template), directory, values);
  return { directory, isReady: isCheckout && (await linkPackages(directory)) };
}

async function versions(name: string, isCheckout: boolean): Promise<Record<string, string>> {
  const text = await readFile(join(PACKAGE, 'package.json'), 'utf8');
  const own = JSON.parse(text) as { version: string } & Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  return {
    name,
    workswap: isCheckout ? `file:${PACKAGE.replace(/[\\/]$/, '')}` : `^${own.version}`,
    assemblyscript: own.dependencies['assemblyscript'] ?? '*',
    vitest: own.devDependencies['vitest'] ?? '*',
  };
}

/** Copies a template's files, `{{word}}` replaced; `gitignore` gets its dot, which packages may not carry. */
async function fill(from: string, to: string, values: Record<string, string>): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const target = join(to, relative(from, entry.parentPath), entry.name === 'gitignore' ? '.gitignore' : entry.name);
    await mkdir(dirname(target), { recursive: true });
    const text = await readFile(source, 'utf8');
    if (!text.includes('{{')) await cp(source, target);
    else
      await writeFile(
        target,
        text.replace(/\{\{(\w+)\}\}/g, (whole, word: string) => values[word] ?? whole),
      );
  }
}

/** What `npm install` would do with a dependency on a directory. False when the checkout has no packages itself. */
async function linkPackages(directory: string): Promise<boolean> {
  const packages = join(PACKAGE, 'node_modules');
  const links: [target: string, link: string][] = [
    [PACKAGE, 'workswap'],
    [join(packages, 'assemblyscript'), 'assemblyscript'],
    [join(packages, 'vitest'), 'vitest'],
    [join(PACKAGE, 'provider', 'cli', 'workswap.js'), join('.bin', 'workswap')],
    [join(packages, '.bin', 'node'), join('.bin', 'node')],
  ];
  await mkdir(join(directory, 'node_modules', '.bin'), { recursive: true });
  let isComplete = true;
  for (const [target, link] of links) {
    const exists = await access(target).then(
      () => true,
      () => false,
    );
    if (exists) await symlink(target, join(directory, 'node_modules', link));
    // The checkout's own Node is there only where it brings one.
    else if (!link.endsWith('node')) isComplete = false;
  }
  return isComplete;
}
