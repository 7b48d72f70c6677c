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

/** How many left a line. */
const left = (served: number, canceled: number, of: StartLine = line) => [{ ...of, served, canceled }]

test('a line that was found full is known, and has none until it is looked at again; then it fills up', () => {
  const { deep } = lines()
  expect(deep.holds).toBe(false)
  deep.found({ ...nothing, full: [line] })
  deep.found({ ...nothing, full: [other, line] })
  const known = [
    { ...line, allowance: 0 },
    { ...other, allowance: 0 },
  ]
  expect([deep.holds, deep.known()]).toEqual([true, known])
  deep.lookAgain(left(7, 0), 1)
  expect(deep.known()).toEqual(known.map((one) => ({ ...one, allowance: null })))
})

test('a line whose jobs are cancelled gets as many as left it otherwise, and some more; others fill up', () => {
  const { deep } = lines()
  deep.found({ ...nothing, full: [line, other] })
  deep.lookAgain(left(8, 300), 1)
  expect(deep.known()).toEqual([
    { ...line, allowance: 8 + 2 + 1 },
    { ...other, allowance: null },
  ])
  deep.sending([...starts(6), ...starts(2, other)])
  expect(deep.known()).toMatchObject([{ allowance: 5 }, { allowance: null }])
  deep.lookAgain([], 0)
  expect(deep.known()).toMatchObject([{ allowance: 5 }, { allowance: null }])
  deep.sending(starts(7))
  expect(deep.known()).toMatchObject([{ allowance: 0 }, { allowance: null }])
})

test('ten minutes after the last cancel it fills up again', () => {
  const { deep, state } = lines()
  deep.found({ ...nothing, full: [line] })
  deep.lookAgain(left(0, 1), 1)
  state.now = 300_000
  deep.lookAgain(left(0, 1), 1)
  state.now = 899_999
  expect(deep.known()).toEqual([{ ...line, allowance: 2 }])
  state.now = 900_000
  expect(deep.known()).toEqual([{ ...line, allowance: null }])
})

test('what a full line had no room for may follow later, as far as jobs can have taken places that stand in it still', () => {
  const { deep } = lines()
  deep.found({ ...nothing, full: [line] })
  deep.lookAgain(left(80, 1), 0)
  deep.sending(starts(30))
  deep.found({ ...nothing, full: [line] })
  expect(deep.known()).toEqual([{ ...line, allowance: 0 }])
  deep.lookAgain([], 1)
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
