import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect } from 'workswap/client';
import { directory } from './fixtures.ts';
import { startProvider, workswap } from './processes.ts';

/** Some content that nobody has. */
const CONTENT = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';

/**
 * Goal: what the README tells a newcomer to type works. Method: its own code blocks, in their order, against a provider;
 * only what the page itself calls a placeholder is filled in, and files and data stay in a directory of the test.
 */
it('the commands of the README do what it says', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const files = await directory();
  const home = join(files, 'home');
  const config = join(files, 'workswap.toml');
  await writeFile(config, '[mailbox]\nhost = "anyone"\n');
  const host = await startProvider({ data: join(home, 'provider'), config });
  try {
    const source = /```ts\n\/\/ (shout\.ts)\n([^]*?)```/.exec(readme)!;
    await writeFile(join(files, source[1]!), source[2]!);
    let receipt = '';
    // Mail goes to whoever wrote it.
    let address = '';
    const outputs = new Map<string, string>();
    for (const line of commands(readme)) {
      const words = line
        .replace('ADDRESS', host.addrs[0]!)
        .replace('RECEIPT', receipt)
        .replace(/\bCID\b/, CONTENT)
        .replace('PEER-ID', address)
        .replace('~/.workswap', home)
        .replaceAll(/\bshout\./g, `${join(files, 'shout')}.`)
        .split(/\s+/)
        .map((word) => word.replaceAll("'", ''));
      if (words[0] === 'new' || words[0] === 'test') words[1] = join(files, words[1]!);
      const { code, stdout, stderr } = await workswap(words, { env: { WORKSWAP_HOME: home } });
      expect({ line, code, stderr: code === 0 ? '' : stderr }).toEqual({ line, code: 0, stderr: '' });
      receipt = /receipt (\w+)/.exec(stderr)?.[1] ?? receipt;
      address = /Your address: (\w+)/.exec(stdout.toString())?.[1] ?? address;
      outputs.set(words[0]!, stdout.toString());
    }
    expect([...outputs.keys()].sort()).toEqual([
      '--help',
      'build',
      'call',
      'ledger',
      'mail',
      'new',
      'pin',
      'quote',
      'run',
      'service',
      'test',
      'verify',
    ]);
    expect(outputs.get('run')).toBe('QUIET\n');
    expect(outputs.get('call')).toBe('QUIET\n');
    expect(outputs.get('mail')).toMatch(/Hello/);
    expect(outputs.get('verify')).toMatch(/^Verified: /);

    const [, program] = /```ts\n(import \{ connect[^]*?)```/.exec(readme)!;
    expect(await runProgram(program!, host.addrs[0]!, await readFile(join(files, 'shout.wasm')))).toBe(true);
  } finally {
    await host.stop();
  }
});

/** Lines of the shell blocks that start with `workswap`; long-running ones have tests of their own. */
function commands(readme: string): string[] {
  const blocks = [...readme.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block]) => block!.split('\n'));
  return blocks
    .filter((line) => line.startsWith('workswap ') && !/^workswap (provider|calibrate|dev|gateway)/.test(line))
    .map((line) => line.replace(/^workswap /, '').replace(/\s+#.*$/, ''));
}

async function runProgram(program: string, address: string, wasm: Uint8Array): Promise<boolean> {
  const client = await import('workswap/client');
  expect(client.connect).toBe(connect);
  const body = program.replace(/^import .*$/m, '').replace('process.stdout.write(chunk)', 'void chunk');
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<boolean>;
  const run = new AsyncFunction('connect', 'rawCid', 'verify', 'address', 'wasm', `${body}\nreturn verified;`);
  return run(client.connect, client.rawCid, client.verify, address, new Uint8Array(wasm));
}
