import { defineConfig } from 'vitest/config';

/** A real browser as the visitor: `npm run test:browser`; `npm run screenshots` also writes the pictures of the READMEs. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/browser/setup.ts'],
    // One provider and one browser for all files: both cost more to start than most tests take.
    maxWorkers: 1,
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
