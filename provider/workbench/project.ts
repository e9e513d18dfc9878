import { readFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { ProjectError } from './errors.ts';

export const PROJECT_FILE = 'workswap.json';

/** What `workswap.json` says, its paths made absolute. */
export interface Project {
  directory: string;
  name: string;
  /** The source of the handler. */
  handler: string;
  /** The directory of static files, where there is one. */
  site?: string;
}

const inside = z
  .string()
  .min(1)
  .refine((path) => !isAbsolute(path) && !relative('.', path).startsWith('..'), 'must be a path inside the project');

const schema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,62}$/,
      'has lower-case letters, digits and dashes, at most 63, and begins with no dash',
    ),
  handler: inside.default('assembly/index.ts'),
  site: inside.optional(),
});

/** Reads a project's description. @throws ProjectError that names the file and what is wrong in it */
export async function openProject(directory: string): Promise<Project> {
  const file = join(directory, PROJECT_FILE);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProjectError(
      file,
      isMissing
        ? `${directory} is no project: it has no ${PROJECT_FILE}. \`workswap new NAME\` makes one.`
        : `${file} cannot be read: ${reason}`,
      cause,
    );
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new ProjectError(file, `${file}: ${z.prettifyError(parsed.error)}`);
  const { name, handler, site } = parsed.data;
  return {
    directory: resolve(directory),
    name,
    handler: resolve(directory, handler),
    ...(site === undefined ? {} : { site: resolve(directory, site) }),
  };
}
