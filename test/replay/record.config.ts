import { defineConfig } from 'vitest/config'

/** Recording is no test: it has a configuration of its own, so that no run of all tests meets it. */
export default defineConfig({
  test: {
    root: `${import.meta.dirname}/../..`,
    include: ['test/replay/record.ts'],
    pool: 'forks',
    globalSetup: ['test/setup/stack.ts'],
    testTimeout: 240_000,
    hookTimeout: 300_000,
    maxConcurrency: 6,
  },
})
