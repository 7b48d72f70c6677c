import { expect, test } from 'vitest'
import type { FoundLines, StartLine } from '../store/claim-outbox.ts'
import { DeepLines } from './deep-lines.ts'

const line = { urgency: 3, organizationId: 1, line: 'a' }
const other = { ...line, organizationId: 2 }
const nothing: FoundLines = { full: [], over: [], onTheWay: [] }

/** Lines with a clock that the test moves. */
function lines() {
  const state = { now: 0 }
  return { deep: new DeepLines(500, () => state.now), state }
}

const starts = (count: number, of: StartLine = line) =>
  Array.from({ length: count }, (_, index) => ({ ...of, subjectId: index + 1 }))

test('a line that was found full is known, and has none until it is looked at again', () => {
  const { deep } = lines()
  expect(deep.holds).toBe(false)
  deep.found({ ...nothing, full: [line] })
  deep.found({ ...nothing, full: [other, line] })
  const known = [
    { ...line, allowance: 0 },
    { ...other, allowance: 0 },
  ]
  expect([deep.holds, deep.known()]).toEqual([true, known])
  deep.lookAgain(7)
  expect(deep.known()).toEqual(known.map((one) => ({ ...one, allowance: 7 })))
})

test('what it is allowed is used up by what is sent of it, and not by what is sent of others', () => {
  const { deep } = lines()
  deep.found({ ...nothing, full: [line] })
  deep.lookAgain(10)
  deep.sending([...starts(6), ...starts(2, other)])
  expect(deep.known()).toEqual([{ ...line, allowance: 4 }])
  deep.lookAgain(10)
  expect(deep.known()).toEqual([{ ...line, allowance: 14 }])
})

test('what a full line had no room for may follow later, as far as jobs can have taken places that stand in it still', () => {
  const { deep } = lines()
  deep.found({ ...nothing, full: [line] })
  deep.lookAgain(100)
  deep.sending(starts(30))
  deep.found({ ...nothing, full: [line] })
  expect(deep.known()).toEqual([{ ...line, allowance: 0 }])
  deep.lookAgain(1)
  expect(deep.known()).toEqual([{ ...line, allowance: 41 }])
})

test('a line of which nothing rests is not known any more', () => {
  const { deep } = lines()
  deep.found({ ...nothing, full: [line, other] })
  deep.found({ ...nothing, over: [line] })
  expect(deep.known()).toEqual([{ ...other, allowance: 0 }])
})

test('starts that were sent count until they stand in line', () => {
  const { deep } = lines()
  deep.sending([
    { ...line, subjectId: 1 },
    { ...line, line: '', subjectId: 2 },
    { ...line, subjectId: 3 },
    { ...other, subjectId: 4 },
  ])
  expect(deep.sent()).toEqual([1, 3, 4])
  deep.failed(3)
  deep.found({ ...nothing, onTheWay: [4] })
  expect(deep.sent()).toEqual([4])
})

test('one that nobody takes up counts no more after a while', () => {
  const { deep, state } = lines()
  deep.sending([{ ...line, subjectId: 1 }])
  state.now = 9_999
  expect(deep.sent()).toEqual([1])
  state.now = 10_000
  expect(deep.sent()).toEqual([])
})
