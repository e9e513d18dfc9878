import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { buildHandler } from '../../sdk/build/index.ts';
import { normalizeRequest } from '../../sdk/client/index.ts';
import { encodeInput, rawCid } from '../../sdk/protocol/index.ts';
import { compileModule } from '../modules/index.ts';
import { createNodeHost, execute } from '../sandbox/index.ts';
import type { JobSpec } from '../sandbox/index.ts';
import { handlerWat, parseWat } from '../sandbox/testing/modules.ts';
import { meter } from '../metering/index.ts';
import { callsOf, hostFunctions } from '../metering/testing/compare.ts';
import { randomModule } from '../metering/testing/random-module.ts';
import { runMetered } from '../metering/testing/run.ts';
import { CallTree } from './call-tree.ts';
import { flameGraph, profile, reportOf, SourceMap, SourceMapError, withFiles } from './index.ts';
import type { Profile } from './index.ts';
import { instrument } from './instrument.ts';
import { spotsOf } from './sites.ts';

/**
 * Goal: a profile accounts for every unit of fuel that a caller pays, no more and no less. Method: the sums by function, by
 * chain of calls and by place in the code are held against what the metered module burns.
 */
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function jobOf(wasm: Uint8Array, path: string, fuelMax = 100_000_000): JobSpec {
  const request = normalizeRequest({ path, timeMs: 0, seed: new Uint8Array(32) });
  return {
    module: { ...compileModule(wasm), cid: rawCid(wasm).toString() },
    input: encodeInput(request, 'test'),
    seed: request.seed,
    timeMs: 0,
    limits: { fuelMax, memoryPagesMax: 64, outputBytesMax: 1024 * 1024, timeoutMs: 60_000 },
  };
}

function handler(name: string): string {
  return fileURLToPath(new URL(`../../handlers/${name}/assembly/index.ts`, import.meta.url));
}

function selfOfChains({ tree }: Profile): number {
  let total = 0;
  const work = [tree];
  for (const node of work) {
    total += node.self;
    work.push(...node.children);
  }
  return total;
}

test('random modules burn the same fuel profiled, and all of it has a place', () => {
  let completed = 0;
  for (let seed = 0; seed < 150; seed++) {
    const { bytes } = randomModule(seed);
    const metered = meter(bytes);
    const { bytes: probed, sites } = instrument(bytes);
    const ours = new WebAssembly.Module(metered.bytes as Uint8Array<ArrayBuffer>);
    const instrumented = new WebAssembly.Module(probed as Uint8Array<ArrayBuffer>);
    const host = hostFunctions(metered);
    for (const { name, args } of callsOf(bytes, seed)) {
      const want = runMetered(ours, name, args, 100_000n, host);
      if (want.kind !== 'completed') continue;
      completed++;
      const tree = new CallTree(100_000);
      let exportsOf = (): WebAssembly.Exports => ({});
      const got = runMetered(instrumented, name, args, 100_000n, (late) => {
        exportsOf = late;
        return { ...host(late), workswap_profile: { enter: tree.enter, leave: tree.leave } };
      });
      expect(got, `seed ${seed}, ${name}`).toEqual(want);
      const counters = exportsOf()['workswap_profile'] as WebAssembly.Memory;
      const spots = spotsOf(bytes, sites, new BigInt64Array(counters.buffer));
      expect(sum(spots.map(({ fuel }) => fuel))).toBe(Number(want.fuelUsed));
      expect(tree.end(100_000 - Number(want.fuelUsed))).toBe(tree.root.total);
    }
  }
  expect(completed).toBeGreaterThan(150);
});

describe('a profile of a handler', () => {
  test('has every unit of fuel once by function, once by line and once by chain of calls', async () => {
    const { wasm, sourceMap } = await buildHandler(handler('mandelbrot'), { sourceMap: true });
    const job = jobOf(wasm, '/?width=40&height=30');
    const found = profile(wasm, job, createNodeHost(), new SourceMap(sourceMap as string));
    expect(found.fuel).toBe(execute(job).fuel);
    expect(found.outcome.status).toBe(200);
    expect(sum(found.functions.map(({ self }) => self))).toBe(found.fuel);
    expect(sum(found.lines.map(({ fuel }) => fuel))).toBe(found.fuel);
    expect(selfOfChains(found)).toBe(found.fuel);
    expect(found.tree.total).toBe(found.fuel);
    expect(found.functions[0]?.name).toBe('fractal/Fractal#colourOf');
    expect(found.functions[0]?.calls).toBe(40 * 30);
    expect(found.lines[0]).toMatchObject({ file: 'fractal.ts', text: expect.stringContaining('=') as string });
    expect(found.functions.find(({ name }) => name === 'host output_write')?.self).toBeGreaterThan(0);
    expect(reportOf(found)).toContain('fractal.ts:');
  });

  test('needs neither names nor a source map, and stops where the fuel ends', async () => {
    const { wasm } = await buildHandler(handler('mandelbrot'));
    const found = profile(wasm, jobOf(wasm, '/?width=40&height=30', 50_000), createNodeHost());
    expect(found.outcome.error?.code).toBe('OUT_OF_FUEL');
    expect(found.fuel).toBe(50_000);
    expect(sum(found.functions.map(({ self }) => self))).toBe(50_000);
    expect(found.functions.some(({ name }) => /^function \d+$/.test(name))).toBe(true);
    expect(reportOf(found)).toContain('--source-map');
  });

  test('counts a function that calls itself once in its total', () => {
    const wasm = parseWat(
      handlerWat({
        fields: `(func $fib (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (i32.const 1))
          (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))`,
        body: '(drop (call $fib (i32.const 12))) (call $ok)',
      }),
    );
    const job = jobOf(wasm, '/');
    const found = profile(wasm, job, createNodeHost());
    expect(found.fuel).toBe(execute(job).fuel);
    const [fib] = found.functions;
    expect(fib?.calls).toBe(465);
    expect(fib?.total).toBe(fib?.self);
  });

  test('is made of files too, which are fetched as the run asks for them', async () => {
    const { wasm } = await buildHandler(handler('wordcount'));
    const text = new TextEncoder().encode('more words than one\n'.repeat(50));
    const job = jobOf(wasm, `/?cid=${rawCid(text).toString()}`);
    const asked: string[] = [];
    const found = await withFiles(
      (files) => profile(wasm, job, createNodeHost(files)),
      async (cid) => {
        asked.push(Buffer.from(cid).toString('hex'));
        return text;
      },
    );
    expect(asked).toEqual([Buffer.from(rawCid(text).bytes).toString('hex')]);
    expect(found.outcome.status).toBe(200);
    const host = createNodeHost({
      readFile: (_, at, length) => text.subarray(at, at + length),
      fileSize: () => text.length,
    });
    expect(found.fuel).toBe(execute(job, host).fuel);
  });
});

test('a flame graph holds whatever functions are called, and nothing of it becomes markup', () => {
  const name = '<script>&"\u0000\u001b[31m\ud800';
  const leaf = { name, self: 60, total: 60, children: [] };
  const tree = { name: 'host', self: 40, total: 100, children: [leaf] };
  const svg = flameGraph({ fuel: 100, tree } as unknown as Profile, '</text>');
  expect(svg).toContain('&lt;script&gt;&amp;&quot;??[31m?');
  for (const raw of ['<script', '\u0000', '\u001b', '</text></text>']) expect(svg).not.toContain(raw);
});

test.each(['', '{}', '{"version":3,"sources":[],"mappings":"!"}', '{"version":3,"sources":[],"mappings":"D"}'])(
  'a broken source map is refused: %s',
  (json) => {
    expect(() => new SourceMap(json)).toThrow(SourceMapError);
  },
);

test('workswap run --profile tells where the fuel went and draws it', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'workswap-profile-'));
  const command = fileURLToPath(new URL('../cli/workswap.js', import.meta.url));
  const workswap = (...args: string[]) => promisify(execFile)(process.execPath, [command, ...args]);
  try {
    const [wasm, svg] = [join(folder, 'hello.wasm'), join(folder, 'hello.svg')];
    await workswap('build', handler('hello'), '-o', wasm, '--source-map');
    const { stdout, stderr } = await workswap('run', wasm, '--home', folder, '--json', '--profile', svg);
    const answer = JSON.parse(stdout) as { fuel: number; profile: Profile };
    expect(answer.profile.fuel).toBe(answer.fuel);
    expect(sum(answer.profile.functions.map(({ self }) => self))).toBe(answer.fuel);
    expect(sum(answer.profile.lines.map(({ fuel }) => fuel))).toBe(answer.fuel);
    expect(stderr).toContain('request.ts:');
    expect(await readFile(svg, 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
