import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { testHandler } from 'workswap/testing';
import { newProject } from '../provider/workbench/index.ts';
import { directory } from './fixtures.ts';
import { workswap } from './processes.ts';

/** Goal: every example of docs/sdk.md does what the page says. Method: built, and asked what stands below it. */
const page = await readFile(new URL('../docs/sdk.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```ts\n\/\/ (\w+\.ts)\n([^]*?)```\n```text\n([^]*?)```/g)].map(
  ([, file, source, requests]) => ({ file: file!, source: source!, requests: requests!.trim().split('\n') }),
);

it('the page has an example for each of its parts', () => {
  expect(examples.map(({ file }) => file)).toEqual([
    'request.ts',
    'response.ts',
    'router.ts',
    'html.ts',
    'json.ts',
    'state.ts',
    'messages.ts',
    'content.ts',
  ]);
});

it.each(examples)('the example $file answers as the page says', async ({ file, source, requests }) => {
  const path = join(await directory(), file);
  await writeFile(path, source);
  const site = await testHandler(path);
  try {
    for (const line of requests) {
      const [, method, target, body, status, text] = /^(\w+) (\S+)(?: (.*))? -> (\d+) ?(.*)$/.exec(line)!;
      const answer = await site.request(method!, target!, body === undefined ? {} : { body });
      expect(answer.error, line).toBeUndefined();
      expect(`${answer.status} ${answer.text().split('\n')[0]!.trimEnd()}`, line).toBe(`${status} ${text}`);
    }
  } finally {
    await site.close();
  }
});

it('the page names everything that the SDK exports', async () => {
  const index = await readFile(new URL('../sdk/assembly/index.ts', import.meta.url), 'utf8');
  const names = [...index.matchAll(/export \{ (.*?) \}/g)].flatMap(([, list]) => list!.split(', '));
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
});

it('the test and the direct call of the page run in a new project', async () => {
  const project = join(await directory(), 'example');
  await newProject(project, 'example', 'hello');
  const block = (name: string): string => new RegExp(`\`\`\`\\w+\\n// ${name}.*\\n([^]*?)\`\`\``).exec(page)![1]!;
  await writeFile(join(project, 'test', 'handler.test.ts'), block('handler.test.ts'));
  const tested = await workswap(['test', project]);
  expect(tested.code, tested.stdout.toString()).toBe(0);

  const packages = fileURLToPath(new URL('../node_modules/', import.meta.url));
  await mkdir(join(project, 'node_modules', '@assemblyscript'));
  await symlink(
    join(packages, '@assemblyscript', 'loader'),
    join(project, 'node_modules', '@assemblyscript', 'loader'),
  );
  await writeFile(join(project, 'assembly', 'slug.ts'), block('slug.ts'));
  await writeFile(join(project, 'direct.mjs'), block('direct.mjs'));
  const { stdout } = await promisify(execFile)(process.execPath, ['direct.mjs'], { cwd: project });
  expect(stdout).toBe('a-title-of-sorts\n');
});
