import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { directory, handler, hostile } from './fixtures.ts';
import { startProvider, workswap } from './processes.ts';
import type { CommandResult, ProviderProcess } from './processes.ts';

function json({ stdout }: CommandResult): Record<string, never> {
  return JSON.parse(stdout.toString()) as Record<string, never>;
}

async function setUp(
  toml?: string,
): Promise<{ host: ProviderProcess; home: string; files: string; data: string; env: Record<string, string> }> {
  const files = await directory();
  const data = join(files, 'provider');
  await writeFile(join(files, 'workswap.toml'), toml ?? '');
  await writeFile(join(files, 'hello.wasm'), await handler('hello'));
  await writeFile(join(files, 'hostile.wasm'), await hostile());
  const host = await startProvider({ data, config: join(files, 'workswap.toml') });
  onTestFinished(async () => {
    await host.kill();
  });
  return { host, files, data, home: join(files, 'home', 'consumer'), env: { WORKSWAP_HOME: join(files, 'home') } };
}

describe('workswap', () => {
  it('calls a provider with a file, verifies the receipt, and shows the same figures in both ledgers', async () => {
    const { host, files, data, home, env } = await setUp('[credit]\nrefreshBytesPerSecond = 0\n');
    const result = await workswap(
      ['call', host.addrs[0]!, join(files, 'hello.wasm'), '--path', '/?name=Ada', '--json'],
      { env },
    );
    expect(result.code, result.stderr).toBe(0);
    const answer = json(result) as unknown as {
      status: number;
      body: string;
      receipt: { cid: string; priceBytes: number };
      ledger: { balance: number };
    };
    expect(answer.status).toBe(200);
    expect(Buffer.from(answer.body, 'base64').toString()).toContain('Ada');

    const verified = await workswap(['verify', answer.receipt.cid, '--json'], { env });
    expect(json(verified)).toMatchObject({ verified: true, differs: [] });
    const [ours] = json(await workswap(['ledger', '--data', home, '--json'])) as unknown as Record<string, number>[];
    expect(await host.stop()).toBe(0);
    const [theirs] = json(await workswap(['ledger', '--data', data, '--json'])) as unknown as Record<string, number>[];
    expect(theirs).toMatchObject({ workSent: answer.receipt.priceBytes, balance: answer.ledger.balance });
    expect([ours!['workRecv'], ours!['blocksSent']]).toEqual([theirs!['workSent'], theirs!['blocksRecv']]);
  });

  it('verifies a receipt of a handler that only the provider had, and fails for one that lies', async () => {
    const { host, files, data, env } = await setUp();
    const published = await workswap(['publish', join(files, 'hello.wasm'), '--data', data]);
    const called = await workswap(['call', host.addrs[0]!, published.stdout.toString().trim(), '--json'], { env });
    expect(called.code, called.stderr).toBe(0);
    const answer = join(files, 'answer.json');
    await writeFile(answer, called.stdout);
    const verified = await workswap(['verify', answer, '--json'], { env });
    expect(verified.code, verified.stderr).toBe(0);

    const { receipt } = json(called) as unknown as { receipt: { block: string } };
    const block = Buffer.from(receipt.block, 'base64');
    block[block.indexOf('priceBytes') + 12]! ^= 1;
    await writeFile(join(files, 'forged'), block);
    expect(await workswap(['verify', join(files, 'forged')], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('DOCUMENT_INVALID') as string,
    });
  });

  it('ends with the exit code that says whose turn it is, and prints JSON for machines', async () => {
    const { host, files, env } = await setUp('[credit]\nnewcomerLineBytes = 1000000\n');
    const [address] = host.addrs as [string];
    const wasm = join(files, 'hostile.wasm');
    const cases: [string[], number, string][] = [
      [['call', address, wasm, '--max-price', '900000', '--path', '/trap'], 4, 'TRAP'],
      [['call', address, wasm, '--max-price', '5000000'], 3, 'OVER_CREDIT'],
      [['call', '/ip4/127.0.0.1/tcp/1/p2p/' + host.peerId, wasm], 5, 'PROVIDER_UNREACHABLE'],
      [['call', 'nonsense', wasm], 5, 'PROVIDER_UNREACHABLE'],
      [['call', address, join(files, 'missing.wasm')], 2, 'USAGE'],
      [['run', wasm, '--path', '/loop', '--fuel', '1000000'], 4, 'OUT_OF_FUEL'],
    ];
    for (const [args, code, reason] of cases) {
      const result = await workswap([...args, '--json'], { env });
      expect([result.code, reason, result.stderr], args.join(' ')).toEqual([
        code,
        reason,
        expect.stringContaining(reason),
      ]);
      expect(json(result), args.join(' ')).toMatchObject({ error: { code: reason } });
    }
    expect((await workswap(['call'], { env })).code).toBe(2);
    expect((await workswap(['nonsense'], { env })).code).toBe(2);
    expect((await workswap(['call', address, wasm, '--fuel', 'lots'], { env })).code).toBe(2);
  });

  it('gives help with examples for every command', async () => {
    for (const command of [
      'provider',
      'call',
      'quote',
      'verify',
      'ledger',
      'run',
      'build',
      'publish',
      'meter',
      'calibrate',
    ]) {
      const { code, stdout } = await workswap([command, '--help']);
      expect([command, code, stdout.toString()]).toEqual([command, 0, expect.stringContaining(`workswap ${command}`)]);
      expect(stdout.toString()).toMatch(/Examples?:/);
    }
  });

  it('refuses a second provider on the same data directory, and the first goes on', async () => {
    const { host, files, data, env } = await setUp();
    const second = await workswap(['provider', '--json', '--data', data, '--listen', '/ip4/127.0.0.1/tcp/0']);
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('STORE_LOCKED')]);
    expect((await workswap(['call', host.addrs[0]!, join(files, 'hello.wasm')], { env })).code).toBe(0);
  });

  it('says in one sentence that Node is too old', async () => {
    const old = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.20.2' })`;
    const entry = fileURLToPath(new URL('../provider/cli/workswap.js', import.meta.url));
    const child = spawn(process.execPath, ['--import', old, entry, 'ledger'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
    expect(stderr).toMatch(/^workswap needs Node\.js 24 or newer/);
  });

  it('meters a module into one that any engine can run', async () => {
    const { files } = await setUp();
    const out = join(files, 'metered.wasm');
    const result = await workswap(['meter', join(files, 'hello.wasm'), '-o', out, '--json']);
    expect(json(result)).toMatchObject({ bytesIn: (await handler('hello')).length });
    const exports = WebAssembly.Module.exports(new WebAssembly.Module(await readFile(out)));
    expect(exports.map(({ name }) => name)).toContain('workswap_fuel');
  });
});
