import { readFileSync } from 'node:fs';
import { runCase } from './cases.ts';
import type { Case } from './cases.ts';

// Started by tests with an engine's flags: `node --liftoff-only run-cases.ts CASES.json` prints the outcomes as JSON.
const cases = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Case[];
process.stdout.write(JSON.stringify(cases.map(runCase)));
