import * as nodeModule from 'node:module'
import { defineConfig } from 'vitest/config'
import { compiledFolder } from './cli/compiled.ts'
import { LongestFirst } from './test/setup/sequence.ts'

/** How `mayfly` itself finds its modules, which takes a quarter of the time; Nodes that know no such hooks do without. */
const quickImports =
  'registerHooks' in nodeModule ? ['--import', new URL('test/setup/quick-imports.ts', import.meta.url).href] : []

/** Where such a process keeps what it compiled, so that the next file's does not compile the clients' thousand modules again. */
const compiled = { NODE_COMPILE_CACHE: compiledFolder(process.env) }

/** Unit tests lie beside their file; end-to-end tests live in test/ and share one stack brought up by dev/. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
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
          // Files share their process, so that Mayfly's modules are loaded, and the embedded database's code compiled, once for each core and
          // not once for each file. What a test changes of the process (spies, fake timers, the environment) it puts back.
          isolate: false,
          // One core less by default, which of two is half.
          maxWorkers: '100%',
          globalSetup: ['store/testing-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/*/**/*.test.ts'],
          exclude: ['test/disruption/**', 'test/replay/**'],
          pool: 'forks',
          execArgv: quickImports,
          env: compiled,
          globalSetup: ['test/setup/stack.ts'],
          // How fast a machine is must decide no test: whatever one waits for has minutes to come.
          testTimeout: 600_000,
          hookTimeout: 600_000,
          expect: { poll: { interval: 200, timeout: 180_000 } },
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
          execArgv: quickImports,
          env: compiled,
          globalSetup: ['test/setup/stack.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          expect: { poll: { interval: 200, timeout: 180_000 } },
          fileParallelism: false,
        },
      },
    ],
  },
})
