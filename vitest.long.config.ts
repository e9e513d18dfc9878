import { defineConfig } from 'vitest/config';

/** The long suite: the same exactness tests over 10,000 random modules. `npm run test:long`. */
export default defineConfig({
  test: {
    include: [
      'provider/metering/**/*.test.ts',
      'test/hostile*.test.ts',
      'test/mailbox-kill.test.ts',
      'test/long/*.test.ts',
    ],
    env: { METERING_MODULES: '10000', WORKSWAP_LONG: '1' },
    maxWorkers: 2,
    testTimeout: 3_600_000,
  },
});
