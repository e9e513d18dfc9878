import { mkdtemp, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { newProject, openProject, TEMPLATES } from '../provider/workbench/index.ts';
import { directory } from './fixtures.ts';
import { workswap } from './processes.ts';

/**
 * Goal: whoever types `workswap new` has a project that works. Method: one template goes through the commands that an
 * author types; of all, the tests run here as well, in their project's directory.
 */
it('a new project builds, passes its tests and runs', async () => {
  const project = join(await directory(), 'my-hello');
  const made = await workswap(['new', project, '--json']);
  expect(made.stderr).toBe('');
  expect(JSON.parse(made.stdout.toString())).toEqual({ directory: project, template: 'hello', ready: true });
  expect(await readFile(join(project, '.gitignore'), 'utf8')).toContain('.workswap/');

  const built = await workswap(['build', project, '--json']);
  expect(built.stderr).toBe('');
  const wasm = join(project, 'build', 'my-hello.wasm');
  expect(JSON.parse(built.stdout.toString())).toMatchObject({ file: wasm });

  const tested = await workswap(['test', project]);
  expect(tested.code, tested.stdout.toString() + tested.stderr).toBe(0);
  expect((await workswap(['run', wasm, '--path', '/?name=Ada'])).stdout.toString()).toBe('Hello, Ada!\n');

  await writeFile(
    join(project, 'assembly', 'index.ts'),
    `import { Request, Response } from 'workswap';\nexport function handle(req: Request): Response {\n  throw new Error('no ' + req.path);\n}\n`,
  );
  await workswap(['build', project]);
  const failed = await workswap(['run', wasm]);
  expect(failed).toMatchObject({ code: 4, stderr: expect.stringContaining('no / (index.ts:3:3)') as string });
});

const parent = await mkdtemp(join(tmpdir(), 'workswap-templates-'));
afterAll(() => rm(parent, { recursive: true, force: true }));

for (const template of TEMPLATES) {
  const project = join(parent, `my-${template}`);
  await newProject(project, `my-${template}`, template);
  describe(`a new project from the template ${template}`, async () => {
    it('has its own name, and a description that can be read', async () => {
      expect(JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))).toMatchObject({
        name: `my-${template}`,
      });
      expect(await readFile(join(project, 'README.md'), 'utf8')).not.toContain('{{');
      expect((await openProject(project)).name).toBe(`my-${template}`);
    });
    // As vitest has it when the project's author runs it.
    process.chdir(project);
    await import(join(project, 'test', 'handler.test.ts'));
  });
}
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
