import { globSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { findViolations, importsOf, rooms } from './rooms.ts'

const files = globSync('**/*.ts', { exclude: (name) => name === 'node_modules' || name.startsWith('.') })

/** Violations of a made-up file among the real ones. */
function violationsOf(file: string, source: string, others: Record<string, string> = {}): string[] {
  const made: Record<string, string> = { ...others, [file]: source }
  const known = new Set([...files, ...Object.keys(made)])
  return findViolations(Object.keys(made), (path) => made[path] ?? '', known).map(
    ({ file, message }) => `${file} ${message}`,
  )
}

test('every import of the repository keeps to the rooms', () => {
  expect(files.length).toBeGreaterThan(400)
  expect(findViolations(files)).toEqual([])
})

describe('what a room may not import is found', () => {
  /** For each room something that it must not know. */
  const forbidden: Record<string, string> = {
    model: '../store/database.ts',
    store: '../kubernetes/objects.ts',
    runner: '../store/database.ts',
    kubernetes: '../store/database.ts',
    activities: '../workflows/types.ts',
    workflows: '../activities/deps.ts',
    worker: '../api/context.ts',
    api: '../workflows/job.ts',
    dev: '../store/database.ts',
  }
  const forms: Record<string, (path: string) => string> = {
    'an import': (path) => `import { a } from '${path}'`,
    'an import for its effect': (path) => `import '${path}'`,
    'a type-only import': (path) => `import type { A } from '${path}'`,
    'an import of a type': (path) => `import { type A } from '${path}'`,
    'an export': (path) => `export { a } from '${path}'`,
    'an export of everything': (path) => `export * from '${path}'`,
    'a type-only export': (path) => `export type { A } from '${path}'`,
    'a type written as import': (path) => `export type A = import('${path}').A`,
    'a type of a module': (path) => `export let a: typeof import('${path}')`,
    'an import at run time': (path) => `export const a = async () => await import('${path}')`,
    'an import beside a using declaration': (path) => `import { a } from '${path}'\n{ using b = a() }`,
  }

  test('for every room there is an example', () => {
    expect(Object.keys(forbidden)).toEqual(Object.keys(rooms))
  })

  for (const [room, path] of Object.entries(forbidden)) {
    test.each(Object.entries(forms))(`in ${room}/: %s`, (_, form) => {
      for (const file of [`${room}/made-up.ts`, `${room}/deeper/made-up.ts`]) {
        const reached = file.includes('deeper') ? `../${path}` : path
        expect(violationsOf(file, form(reached))).toEqual([
          expect.stringContaining(`${file} imports ${path.slice(3)}, but`),
        ])
      }
    })
  }

  test('in a folder that is no room yet', () => {
    expect(violationsOf('attic/made-up.ts', `import '../model/job.ts'`)).toHaveLength(1)
  })

  test('packages in the rooms that are pure', () => {
    expect(violationsOf('model/made-up.ts', `import { readFile } from 'node:fs/promises'`)).toHaveLength(1)
    expect(violationsOf('workflows/made-up.ts', `import type { Client } from '@temporalio/client'`)).toHaveLength(1)
    expect(violationsOf('model/made-up.ts', `import { parse } from 'yaml'`)).toEqual([])
  })

  test('a path that is worked out at run time, or leads nowhere', () => {
    expect(violationsOf('api/made-up.ts', 'export const a = async (b: string) => await import(b)')).toHaveLength(1)
    expect(violationsOf('api/made-up.ts', `import './nowhere.ts'`)).toHaveLength(1)
  })

  test('a circle, unless types alone close it', () => {
    const other = { 'api/other.ts': `import './made-up.ts'` }
    expect(violationsOf('api/made-up.ts', `import './other.ts'`, other)).toHaveLength(1)
    expect(violationsOf('api/made-up.ts', `import type { A } from './other.ts'`, other)).toEqual([])
  })
})

test('what the rule allows passes', () => {
  for (const [file, path] of [
    ['api/made-up.ts', '../workflows/names.ts'],
    ['api/made-up.ts', '../workflows/types.ts'],
    ['workflows/made-up.ts', '../activities/types.ts'],
    ['api/made-up.test.ts', '../kubernetes/cluster.ts'],
    ['cli/made-up.ts', '../worker/worker.ts'],
  ] as const) {
    expect(violationsOf(file, `import { a } from '${path}'`)).toEqual([])
  }
})

test('a source that cannot be parsed is no source without imports', () => {
  expect(() => importsOf('model/made-up.ts', 'import {')).toThrow('model/made-up.ts cannot be parsed')
})
