import { defineConfig } from 'vitest/config';

/** Other implementations as the other end: `npm run test:interop`. What is not installed is skipped, and says so. */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    maxWorkers: 2,
    // Go peers repeat a want that was lost only after half a minute.
    testTimeout: 300_000,
    // The first build of a Go program downloads and compiles its modules.
    hookTimeout: 1_200_000,
  },
});
