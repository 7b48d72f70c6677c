import { defineConfig } from 'vitest/config'

/** Unit tests lie beside their file; end-to-end tests live in test/ and share one stack brought up by dev/. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'test/*.test.ts',
            'test/replay/*.test.ts',
            '{activities,api,bench,cli,dev,kubernetes,model,runner,store,worker,workflows}/**/*.test.ts',
          ],
          pool: 'forks',
          globalSetup: ['store/testing-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/*/**/*.test.ts'],
          exclude: ['test/disruption/**', 'test/replay/**'],
          pool: 'forks',
          globalSetup: ['test/setup/stack.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: true,
          maxWorkers: 3,
        },
      },
      {
        // They restart parts of the stack that all end-to-end tests share, so nothing else may run beside them.
        test: {
          name: 'disruption',
          include: ['test/disruption/**/*.test.ts'],
          pool: 'forks',
          globalSetup: ['test/setup/stack.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
