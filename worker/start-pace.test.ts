import { expect, test } from 'vitest'
import { StartPace } from './start-pace.ts'

/** A pace over jobs of which the test says who has begun, with its own clock. */
function pace() {
  const begun = new Set<number>()
  const state = { now: 0, asked: 0 }
  const notBegun = async (ids: readonly number[]) => {
    state.asked++
    return ids.filter((id) => !begun.has(id))
  }
  const starts = new StartPace(notBegun, () => state.now)
  const send = (from: number, count: number) => {
    for (let id = from; id < from + count; id++) starts.sending(id)
  }
  return { starts, begun, state, send }
}

test('a few starts are sent without asking anybody', async () => {
  const { starts, state, send } = pace()
  send(1, 32)
  expect(await starts.hasRoomFor(8)).toBe(true)
  expect(state.asked).toBe(0)
})

test('a burst waits until what was sent has begun', async () => {
  const { starts, begun, send } = pace()
  send(1, 40)
  expect(await starts.hasRoomFor(8)).toBe(false)
  for (const id of [1, 2, 3, 4, 5, 6, 7]) begun.add(id)
  expect(await starts.hasRoomFor(8)).toBe(false)
  begun.add(8)
  expect(await starts.hasRoomFor(8)).toBe(true)
  send(41, 8)
  expect(await starts.hasRoomFor(1)).toBe(false)
})

test('starts that nobody takes up hold nothing back for ever', async () => {
  const { starts, state, send } = pace()
  send(1, 40)
  state.now = 9_999
  expect(await starts.hasRoomFor(8)).toBe(false)
  state.now = 10_000
  expect(await starts.hasRoomFor(8)).toBe(true)
})
