import { defineConfig } from 'vitest/config'

/** The long form of the fault matrix is no part of the tests, so it has a configuration of its own. */
export default defineConfig({
  test: {
    root: `${import.meta.dirname}/../..`,
    include: ['test/faults/long.ts'],
    pool: 'forks',
    globalSetup: ['test/setup/stack.ts'],
    testTimeout: 3 * 3_600_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 180_000, interval: 200 } },
  },
})
