import { expect, test } from 'vitest'
import { leanArguments, leanFlags } from './lean.ts'

test('the API and the worker run under flags that keep them small', () => {
  expect(leanArguments(['node', 'cli/main.ts', 'worker', '--migrate'], [])).toEqual([
    ...leanFlags,
    'cli/main.ts',
    'worker',
    '--migrate',
  ])
})

test('a process that is lean stays as it is, and so do other commands', () => {
  expect(leanArguments(['node', 'cli/main.ts', 'api'], leanFlags)).toBeNull()
  expect(leanArguments(['node', 'cli/main.ts', 'dev'], [])).toBeNull()
  expect(leanArguments(['node', 'cli/main.ts'], [])).toBeNull()
})

test('flags that were given come last, where they win', () => {
  const given = ['--inspect', '--max-semi-space-size=64']
  const args = leanArguments(['node', 'cli/main.ts', 'api'], given) ?? []
  expect(args.slice(leanFlags.length, leanFlags.length + 2)).toEqual(given)
  expect(leanArguments(['node', 'cli/main.ts', 'api'], [...leanFlags, ...given])).toBeNull()
})
