import { defineConfig } from 'vitest/config';

/** The package as it is published, built, packed and installed. `npm run test:package`; asks the registry for packages. */
export default defineConfig({
  test: {
    include: ['test/package/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
