import { expect, test } from 'vitest'
import { parseQuantity } from './quantity.ts'

test.each([
  ['2', 2],
  ['500m', 0.5],
  ['0.5', 0.5],
  ['.5', 0.5],
  ['1Gi', 1073741824],
  ['100Mi', 104857600],
  ['1k', 1000],
  ['1e3', 1000],
  ['1E3', 1000],
  ['2E', 2e18],
  ['-1', -1],
  [' 7 ', 7],
])('%s is %d', (text, number) => expect(parseQuantity(text)).toBe(number))

test.each(['', 'x', '1KB', '1 Gi', '1mi', 'Gi', '1.2.3'])('%j is no quantity', (text) =>
  expect(parseQuantity(text)).toBeNaN(),
)
