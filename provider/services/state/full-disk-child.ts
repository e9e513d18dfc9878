import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { countUpdate, SERVICE } from './kill-child.ts';
import { allFiles, testStates, testTask } from './testing.ts';

/** Runs on a small disk for durability.test.ts: fills it, updates until some are refused, frees it, goes on, reads all. */
const path = process.argv[2]!;
let opened = await testStates(path);
const state = await opened.states.open(SERVICE);
let acknowledged = 0;
let refused = 0;
const codes = new Set<string>();

async function updates(count: number): Promise<void> {
  const from = acknowledged + refused;
  const names = Array.from({ length: count }, (_, i) => `u${from + i}`);
  const results = await Promise.allSettled(
    names.map((name) => state.update(testTask(name), (view) => countUpdate(name, view))),
  );
  for (const result of results) {
    if (result.status === 'fulfilled') acknowledged += 1;
    else {
      refused += 1;
      const { code } = result.reason as { code: string };
      if (code !== 'STORE_FULL' && code !== 'UPDATE_UNDONE') codes.add(code);
    }
  }
}

await updates(50);
const filler = join(path, 'filler');
try {
  writeFileSync(filler, new Uint8Array(16 * 1024 * 1024));
} catch {
  // As much as there was room for is written.
}
while (refused === 0) await updates(10);
rmSync(filler);
for (const before = acknowledged; acknowledged < before + 50;) await updates(10);
await opened.close();
opened = await testStates(path);
const files = await allFiles((await opened.states.open(SERVICE)).view());
const log = [...files.keys()].filter((file) => file.startsWith('log/')).length;
process.stdout.write(
  JSON.stringify({ refused, acknowledged, log, count: Number(files.get('count')), codes: [...codes] }),
);
await opened.close();
