import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeVectors } from '../provider/metering/testing/vectors.ts';

// Writes docs/metering-vectors.json anew: `node scripts/metering-vectors.ts`, whenever the meter's version changes.
const file = fileURLToPath(new URL('../docs/metering-vectors.json', import.meta.url));
writeFileSync(file, JSON.stringify(makeVectors()));
execFileSync('npx', ['oxfmt', file]);
