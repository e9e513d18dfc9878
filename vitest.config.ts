import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{provider,sdk,handlers,bench}/**/*.test.ts', 'test/*.test.ts'],
    // Projects to copy; test/templates.test.ts runs theirs where they belong.
    exclude: ['**/node_modules/**', 'sdk/templates/**'],
    // Two shared cores: more forks than that only make the tests that start processes wait for each other.
    maxWorkers: 2,
    // What the forks and the processes that tests start have parsed once is not parsed again.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
    // Only to end what hangs: some tests start twenty processes, on machines that others use too.
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
