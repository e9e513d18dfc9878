import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * Goal: whoever installs the package has what a checkout has. Method: pack it, install the tarball into an empty directory
 * outside of the checkout, and use it there as an author and as a program.
 */
const ROOT = join(import.meta.dirname, '../..');
const { version, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  devDependencies: Record<string, string>;
};

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'workswap-package-'));
  run('npm', ['run', '-s', 'package', '--', '--pack-destination', home], ROOT);
  writeFileSync(join(home, 'package.json'), '{"name":"elsewhere","private":true,"type":"module"}');
  const quick = ['--no-audit', '--no-fund', '--prefer-offline'];
  const packages = [`./workswap-${version}.tgz`, `vitest@${devDependencies['vitest']}`];
  run('npm', ['install', ...quick, ...packages]);
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

function run(command: string, args: string[], cwd = home): string {
  const env = { ...process.env, WORKSWAP_HOME: join(home, 'data') };
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function workswap(...args: string[]): string {
  return run(process.execPath, [join(home, 'node_modules/.bin/workswap'), ...args]);
}

describe('the installed package', () => {
  it('is the version that it says', () => {
    expect(workswap('--version').trim()).toBe(version);
    expect(workswap('provider', '--help')).toContain('--listen');
  });

  it('makes a project that builds and passes its tests', () => {
    workswap('new', 'guestbook', '--template', 'guestbook');
    expect(workswap('build', 'guestbook')).toContain('.wasm');
    expect(workswap('test', 'guestbook')).toMatch(/Tests .*passed/);
  });

  it('hosts, computes, is paid, and verifies: the demo in two processes', () => {
    expect(workswap('demo')).toContain(') verifies: ');
  });

  it('has a library for consumers, one for tests, the protocol and the meter, with their types', () => {
    const names = ['.', '/client', '/testing', '/protocol', '/metering'].map(
      (name) => `workswap${name.replace('.', '')}`,
    );
    const imports = names.map((name, i) => `import * as m${i} from '${name}';`).join('\n');
    writeFileSync(
      join(home, 'use.ts'),
      `${imports}\nconst text: string = m1.rawCid(new Uint8Array()).toString();\nconsole.log(text, typeof m0.createProvider, typeof m2.testHandler, m3.SEED_BYTES + 0, typeof m4.meter);\n`,
    );
    const options = ['--module', 'nodenext', '--target', 'es2024', '--strict', '--skipLibCheck', '--noEmit'];
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
    run(process.execPath, [join(ROOT, 'node_modules/.bin/tsc'), ...options, ...types, 'use.ts']);
    expect(run(process.execPath, ['use.ts'])).toMatch(/^bafkrei\w+ function function 32 function\n$/);
  });
});
