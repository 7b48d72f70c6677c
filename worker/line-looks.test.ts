import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { channels } from '../store/channel.ts'
import type { NotificationListener } from '../store/database.ts'
import type { LeftLine, Moment } from '../store/left-lines.ts'
import { LineLooks } from './line-looks.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const left: LeftLine[] = [{ urgency: 3, organizationId: 1, line: 'a', served: 5, canceled: 0 }]

/** Looks at lines that are as the test says, and what they were told: who left, and how many more. */
async function looks() {
  const state = { holds: true, away: false }
  const told: [readonly LeftLine[], number][] = []
  const asked: (number | undefined)[] = []
  let [woken, moment] = [0, 70]
  let notify: NotificationListener = () => expect.fail('nobody listens')
  const subject = new LineLooks({
    store: {
      listen: async (channel, callback) => {
        expect(channel).toBe(channels.groups)
        notify = callback
        return async () => {}
      },
    },
    lines: {
      get holds() {
        return state.holds
      },
      lookAgain: (leavers, more) => void told.push([leavers, more]),
    },
    leftLines: async (since: Moment | null) => {
      asked.push(since?.attempt)
      if (state.away) throw new Error('the store is away')
      return { left: since ? left : [], until: { attempt: ++moment, at: '' } }
    },
    wake: () => {
      woken += 1
    },
  })
  await subject.start()
  const givesBack = (places: number) => {
    for (let place = 0; place < places; place++) notify(`7 pod-${place}`)
  }
  return { subject, state, asked, told: () => told.splice(0), woken: () => woken, givesBack }
}

test('places that are given back within a moment are one look', async () => {
  const { subject, told, givesBack, woken } = await looks()
  givesBack(100)
  await vi.advanceTimersByTimeAsync(199)
  expect([told(), woken()]).toEqual([[], 0])
  await vi.advanceTimersByTimeAsync(1)
  // Who left before a line was known does not count.
  expect([told(), woken()]).toEqual([[[[], 0]], 1])
  givesBack(3)
  await vi.advanceTimersByTimeAsync(200)
  expect(told()).toEqual([[left, 0]])
  await subject.stop()
})

test('each sweep tells who left since the look before, and lets a few more follow', async () => {
  const { subject, told, asked } = await looks()
  await vi.advanceTimersByTimeAsync(15_000)
  expect(told()).toEqual([
    [[], 10],
    [left, 10],
    [left, 10],
  ])
  expect(asked).toEqual([undefined, 71, 72])
  await subject.stop()
})

test('where no line is known the outbox is looked at all the same, and nobody is asked', async () => {
  const { subject, state, asked, givesBack, woken } = await looks()
  state.holds = false
  givesBack(2)
  await vi.advanceTimersByTimeAsync(4_999)
  expect(woken()).toBe(0)
  await vi.advanceTimersByTimeAsync(1)
  expect([woken(), asked]).toEqual([1, []])
  await subject.stop()
})

test('a store that is away for a moment is not the end of the looks', async () => {
  const { subject, state, told } = await looks()
  state.away = true
  await vi.advanceTimersByTimeAsync(5_000)
  state.away = false
  await vi.advanceTimersByTimeAsync(5_000)
  expect(told()).toEqual([
    [[], 10],
    [[], 10],
  ])
  await subject.stop()
})
