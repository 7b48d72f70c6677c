import { expect, test } from 'vitest'
import { DeepLines } from './deep-lines.ts'

const line = { urgency: 3, organizationId: 1, line: 'a' }

/** Lines with a clock that the test moves. */
function lines() {
  const state = { now: 0 }
  return { deep: new DeepLines(500, () => state.now), state }
}

test('a line that was found full is known until it is looked at again', () => {
  const { deep } = lines()
  expect(deep.holds).toBe(false)
  deep.found([line], [])
  deep.found([{ ...line, organizationId: 2 }, line], [])
  expect([deep.holds, deep.full()]).toEqual([true, [line, { ...line, organizationId: 2 }]])
  deep.lookAgain()
  expect([deep.holds, deep.full()]).toEqual([false, []])
})

test('starts that were sent count until they stand in line', () => {
  const { deep } = lines()
  deep.sending([
    { line: 'a', subjectId: 1 },
    { line: '', subjectId: 2 },
    { line: 'a', subjectId: 3 },
    { line: 'b', subjectId: 4 },
  ])
  expect(deep.sent()).toEqual([1, 3, 4])
  deep.failed(3)
  deep.found([], [4])
  expect(deep.sent()).toEqual([4])
})

test('one that nobody takes up counts no more after a while', () => {
  const { deep, state } = lines()
  deep.sending([{ line: 'a', subjectId: 1 }])
  state.now = 9_999
  expect(deep.sent()).toEqual([1])
  state.now = 10_000
  expect(deep.sent()).toEqual([])
})
