import { readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TEMPLATES } from '../provider/workbench/index.ts';
import { directory } from './fixtures.ts';
import { workswap } from './processes.ts';

/**
 * Goal: whoever types `workswap new` has a project that works. Method: each template is made, built, tested and run with
 * the commands that an author types.
 */
it.each(TEMPLATES)('a new project from the template %s builds, passes its tests and runs', async (template) => {
  const project = join(await directory(), `my-${template}`);
  const made = await workswap(['new', project, '--template', template, '--json']);
  expect(made.stderr).toBe('');
  expect(JSON.parse(made.stdout.toString())).toEqual({ directory: project, template, ready: true });
  expect(await readFile(join(project, '.gitignore'), 'utf8')).toContain('.workswap/');
  expect(JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))).toMatchObject({ name: `my-${template}` });

  const built = await workswap(['build', project, '--json']);
  expect(built.stderr).toBe('');
  const wasm = join(project, 'build', `my-${template}.wasm`);
  expect(JSON.parse(built.stdout.toString())).toMatchObject({ file: wasm });

  const tested = await workswap(['test', project]);
  expect(tested.code, tested.stdout.toString() + tested.stderr).toBe(0);

  const ran = await workswap(['run', wasm, '--json', '--path', '/']);
  expect(JSON.parse(ran.stdout.toString())).toMatchObject({
    status: { api: 404, worker: 400 }[template as string] ?? 200,
  });
});

it('a new project needs a name and a directory of its own', async () => {
  const parent = await directory();
  await writeFile(join(parent, 'taken'), 'mine');
  const taken = await workswap(['new', join(parent, 'taken')]);
  expect(taken).toMatchObject({ code: 4, stderr: expect.stringContaining('exists already') as string });
  expect(await readFile(join(parent, 'taken'), 'utf8')).toBe('mine');
  await symlink('/', join(parent, 'link'));
  expect((await workswap(['new', join(parent, 'link')])).code).toBe(4);
  await unlink(join(parent, 'link'));
  expect((await workswap(['new', join(parent, 'No Name')])).stderr).toContain('is no name for a project');
  expect((await workswap(['new', join(parent, 'x'), '--template', 'nothing'])).code).toBe(2);
});

it('a command outside a project says that there is none', async () => {
  const { code, stderr } = await workswap(['test', await directory()]);
  expect(code).toBe(4);
  expect(stderr).toContain('is no project: it has no workswap.json');
});
