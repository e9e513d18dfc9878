import { existsSync, readdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { Figure, Suite } from './types.ts';

/** npm run -s bench -- SUITE [--json] */
const args = process.argv.slice(2);
const json = args.includes('--json');
const [name] = args.filter((arg) => !arg.startsWith('--'));
const here = new URL('./', import.meta.url);

function suites(): string[] {
  const names = readdirSync(here, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return existsSync(new URL(`${entry.name}/index.ts`, here)) ? [entry.name] : [];
    const isSuite =
      entry.name.endsWith('.ts') &&
      !entry.name.endsWith('.test.ts') &&
      !['index.ts', 'types.ts', 'measure.ts'].includes(entry.name);
    return isSuite ? [entry.name.slice(0, -3)] : [];
  });
  return names.sort();
}

if (name === undefined || !suites().includes(name)) {
  process.stderr.write(`Usage: npm run -s bench -- SUITE [--json]\nSuites: ${suites().join(', ')}\n`);
  process.exit(2);
}

const file = existsSync(new URL(`${name}.ts`, here)) ? `${name}.ts` : `${name}/index.ts`;
const { run } = (await import(new URL(file, here).href)) as { run: Suite };
const figures = await run((line) => process.stderr.write(`${line}\n`));
if (json) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memoryBytes: totalmem(), node: process.version };
  console.log(JSON.stringify({ suite: name, machine, figures }));
} else {
  console.log(table(figures));
}
process.exit(0);

function table(rows: Figure[]): string {
  const cells = rows.map(({ name: figure, value, unit, goal, better, peer, note }) => [
    figure,
    value === null ? '-' : formatValue(value),
    unit,
    goal === undefined ? '' : `${better === 'higher' ? '>=' : '<='} ${formatValue(goal)}`,
    peer === undefined ? '' : `${peer.name}: ${formatValue(peer.value)}`,
    note ?? '',
  ]);
  const all = [['figure', 'value', 'unit', 'goal', 'peer', 'note'], ...cells];
  const widths = all[0]!.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatValue(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}
