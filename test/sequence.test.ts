import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { longest, placeOf } from './setup/sequence.ts'

test('every name of a long file is that of one that is there', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  for (const name of longest)
    expect(files.filter((file) => file.endsWith('.test.ts') && file.startsWith(name))).not.toEqual([])
})

test('files that take long come first, in their order', () => {
  const files = ['hostile/bad-input', 'cli/dev', 'workflows/killed', 'faults/matrix'].map(
    (name) => `/m/test/${name}.test.ts`,
  )
  expect(files.toSorted((one, other) => placeOf(one) - placeOf(other))).toEqual(files.toReversed())
})
