import { expect, test } from 'vitest'
import { toWireTime } from './instant.ts'

test.each([
  ['2024-07-12 20:38:21.630477+00', '2024-07-12T20:38:21.630477Z'],
  ['2024-07-12 20:38:21.63+00', '2024-07-12T20:38:21.630000Z'],
  ['2024-07-12 20:38:21+00', '2024-07-12T20:38:21Z'],
  [null, null],
])('%s is written %s', (stored, wire) => {
  expect(toWireTime(stored)).toBe(wire)
})

test('another zone than UTC is refused, not misread', () => {
  expect(() => toWireTime('2024-07-12 20:38:21+02')).toThrow(RangeError)
})
