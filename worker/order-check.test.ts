import { expect, test } from 'vitest'
import { verdictOnOrder } from './order-check.ts'

test.each([
  ['as it should be', ['urgent', 'one', 'other', 'one again'], 1, []],
  ['fair shares first or second', ['urgent', 'other', 'one', 'one again'], 1, []],
  ['first in first out', ['one', 'one again', 'other', 'urgent'], 1, [/priority/]],
  ['priority without fair shares', ['urgent', 'one', 'one again', 'other'], 1, [/shares of organizations/]],
  ['several partitions', ['urgent', 'one', 'other', 'one again'], 4, [/4 partitions/]],
])('%s', (_name, order, partitions, expected) => {
  const problems = verdictOnOrder(order, partitions)
  expect(problems).toHaveLength(expected.length)
  for (const [index, pattern] of expected.entries()) expect(problems[index]).toMatch(pattern)
})
