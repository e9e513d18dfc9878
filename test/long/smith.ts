import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = fileURLToPath(new URL('smith', import.meta.url));

/**
 * Modules of wasm-smith, a generator that knows nothing of ours. It is built with cargo once, in a directory for temporary
 * files; rejects where cargo, or what it needs to fetch, is missing.
 */
export async function smithModules(first: number, count: number): Promise<Uint8Array[]> {
  const { stdout } = await run(await smith(), [String(first), String(count)], {
    encoding: 'buffer',
    maxBuffer: 1024 * 1024 * 1024,
  });
  const modules: Uint8Array[] = [];
  for (let at = 0; at < stdout.length;) {
    const length = stdout.readUInt32LE(at);
    modules.push(Uint8Array.prototype.slice.call(stdout, at + 4, at + 4 + length));
    at += 4 + length;
  }
  return modules;
}

let built: Promise<string> | undefined;

function smith(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['Cargo.toml', 'src/main.rs']) hash.update(readFileSync(join(source, file)));
  // Not in the tree: cargo writes a lock and gigabytes of intermediate files beside what it builds.
  const directory = join(tmpdir(), `workswap-smith-${hash.digest('hex').slice(0, 16)}`);
  mkdirSync(directory, { recursive: true });
  cpSync(source, directory, { recursive: true });
  await run('cargo', ['build', '--release', '--quiet'], { cwd: directory });
  return join(directory, 'target', 'release', 'smith');
}
