import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../config.ts';
import { MODULE_LIMITS } from '../modules/index.ts';
import { CALL_PRICES, SETUP_FREE, SETUP_PRICES, abiVersion } from './abi/prices.ts';
import { CALL_SIGNATURES } from './abi/signatures.ts';
import { OUTCOME_FAULTS } from './errors.ts';
import { defaultsOf, SANDBOX_LIMITS, type Limit } from './limits.ts';

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

test('the page names the version, and what setting up costs', () => {
  expect(page).toContain(`## Host ABI, version ${abiVersion}\n`);
  expect(page).toContain(`less ${text(SETUP_FREE)} units`);
  for (const [name, price] of Object.entries(SETUP_PRICES)) expect(row(name), name).toContain(`| ${text(price)}`);
});

test('the page names every outcome with its fault', () => {
  for (const [code, fault] of Object.entries(OUTCOME_FAULTS)) expect(row(code), code).toContain(`| ${fault} |`);
});

describe.each<[string, Record<string, Limit>, Record<string, number>]>([
  ['sandbox', SANDBOX_LIMITS, parseConfig({}, 'test').sandbox],
  ['modules', MODULE_LIMITS, parseConfig({}, 'test').modules],
])('the limits in [%s]', (table, limits, config) => {
  test('stand on the page with default and error code, and are all the page has', () => {
    for (const [name, { default: value, code }] of Object.entries(limits)) {
      expect(row(name), name).toContain(name === 'threads' ? '| the cores |' : `| ${textOf(name, value)} |`);
      if (code !== undefined) expect(row(name), name).toContain(`\`${code}\``);
    }
    const rows = page
      .split(`| \`[${table}]\` |`)[1]
      ?.split('\n\n')[0]
      ?.match(/^\| `\w+`/gm);
    expect(rows).toHaveLength(Object.keys(limits).length);
  });

  test('can all be set in the config, within bounds', () => {
    expect(config).toEqual(defaultsOf(limits));
    for (const [name, { min, max }] of Object.entries(limits)) {
      expect(parseConfig({ [table]: { [name]: min } }, 'test')).toMatchObject({ [table]: { [name]: min } });
      expect(() => parseConfig({ [table]: { [name]: min - 1 } }, 'test'), name).toThrow(`${table}.${name}`);
      expect(() => parseConfig({ [table]: { [name]: max + 1 } }, 'test'), name).toThrow(`${table}.${name}`);
    }
  });
});

function textOf(name: string, value: number): string {
  if (!name.includes('Bytes')) return text(value);
  const gib = 1024 ** 3;
  return value >= gib ? `${value / gib} GiB` : `${value / 1024 ** 2} MiB`;
}
