import { execFileSync } from 'node:child_process';
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * npm run package [-- --pack-destination DIR]: builds the package that is published in dist/, and packs it. Node strips no
 * types below node_modules, so it holds compiled JavaScript with declarations, at the paths that the sources have here.
 */
const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

/** What the compiler does not make: plain JavaScript, pages, and the AssemblyScript that handlers are built from. */
const ASSETS = [
  'provider/**/*.{js,cjs,css,html}',
  '{provider,sdk}/**/pb/*.{js,d.ts}',
  'sdk/{assembly,templates}/**/*',
  'handlers/{hello,mandelbrot,png}/assembly/**/*',
  'README.md',
  'LICENSE*',
];

type Exports = Record<string, string>;

function run(command: string, args: string[]): void {
  execFileSync(command, args, { cwd: ROOT, stdio: 'inherit' });
}

function copyAssets(): void {
  for (const path of globSync(ASSETS, { cwd: ROOT, withFileTypes: true })) {
    if (!path.isFile()) continue;
    const from = join(path.parentPath, path.name);
    cpSync(from, join(DIST, from.slice(ROOT.length)));
  }
}

/** The command's first file is plain JavaScript that loads a TypeScript one. */
function adaptCommand(): void {
  const path = join(DIST, 'provider/cli/workswap.js');
  const source = readFileSync(path, 'utf8');
  if (!source.includes(`import('./main.ts')`)) throw new Error(`${path} does not load ./main.ts any more`);
  writeFileSync(path, source.replace(`import('./main.ts')`, `import('./main.js')`));
}

function writeManifest(): void {
  const {
    private: _,
    scripts: _scripts,
    optionalDependencies: _node,
    overrides: _overrides,
    ...manifest
  } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown> & { exports: Exports };
  const exports = Object.entries(manifest.exports).map(([name, source]) => {
    const base = source.replace(/\.ts$/, '');
    return [name, { types: `${base}.d.ts`, default: `${base}.js` }];
  });
  const built = { ...manifest, exports: Object.fromEntries(exports) as object };
  writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(built, undefined, 2)}\n`);
}

rmSync(DIST, { recursive: true, force: true });
run('tsc', ['-p', 'tsconfig.package.json']);
copyAssets();
adaptCommand();
writeManifest();
run('npm', ['pack', './dist', ...process.argv.slice(2)]);
