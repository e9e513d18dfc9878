import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { CALL_PRICES } from './abi/prices.ts';
import { CALL_SIGNATURES } from './abi/signatures.ts';
import { OUTCOME_FAULTS } from './errors.ts';
import { defaultLimits } from './limits.ts';

const page = await readFile(new URL('../../docs/sandbox.md', import.meta.url), 'utf8');
const row = (name: string): string => page.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
const text = (value: number): string => value.toLocaleString('en-US');

test('the page names every host call with its price and its number of parameters', () => {
  for (const [name, { fixed, perByte }] of Object.entries(CALL_PRICES)) {
    expect(row(name), name).toContain(`${text(fixed)} + ${text(perByte)}`);
    const params =
      /\(([^)]*)\)/
        .exec(row(name))?.[1]
        ?.split(',')
        .filter((each) => each !== '') ?? [];
    expect(params, name).toHaveLength(CALL_SIGNATURES.get(name)?.params.length ?? -1);
  }
});

test('the page names every outcome with its fault', () => {
  for (const [code, fault] of Object.entries(OUTCOME_FAULTS)) expect(row(code), code).toContain(`| ${fault} |`);
});

test('the page names every limit with its default', () => {
  const { threads: _, ...limits } = defaultLimits();
  for (const [name, value] of Object.entries(limits)) {
    const isBytes = name.includes('Bytes');
    const gib = 1024 * 1024 * 1024;
    const expected = isBytes ? (value >= gib ? `${value / gib} GiB` : `${value / 1024 / 1024} MiB`) : text(value);
    expect(row(name), name).toContain(`| ${expected} |`);
  }
});
