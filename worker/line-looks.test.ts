import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { channels } from '../store/channel.ts'
import type { NotificationListener } from '../store/database.ts'
import { LineLooks } from './line-looks.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Looks at lines that are as the test says, and what they allowed. */
async function looks() {
  const state = { holds: true, attempts: 70, away: false }
  const allowed: number[] = []
  const asked: (number | null)[] = []
  let woken = 0
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
      lookAgain: (allowance) => void allowed.push(allowance),
    },
    placesTaken: async (since) => {
      asked.push(since)
      if (state.away) throw new Error('the store is away')
      return { taken: since === null ? 0 : state.attempts - since, last: state.attempts }
    },
    wake: () => {
      woken += 1
    },
  })
  await subject.start()
  const givesBack = (places: number) => {
    for (let place = 0; place < places; place++) notify(`7 pod-${place}`)
  }
  return { subject, state, asked, allowed: () => allowed.splice(0), woken: () => woken, givesBack }
}

test('places that are given back within a moment are one look, which allows a start for each', async () => {
  const { subject, allowed, givesBack, woken } = await looks()
  givesBack(100)
  await vi.advanceTimersByTimeAsync(199)
  expect([allowed(), woken()]).toEqual([[], 0])
  await vi.advanceTimersByTimeAsync(1)
  expect([allowed(), woken()]).toEqual([[100], 1])
  givesBack(3)
  await vi.advanceTimersByTimeAsync(200)
  expect(allowed()).toEqual([3])
  await subject.stop()
})

test('each sweep allows as many as took a place since, although none was given back, and a few more', async () => {
  const { subject, state, allowed, asked } = await looks()
  await vi.advanceTimersByTimeAsync(5_000)
  // What went before a line was known does not count.
  expect(allowed()).toEqual([40])
  state.attempts += 150
  await vi.advanceTimersByTimeAsync(5_000)
  expect(allowed()).toEqual([190])
  await vi.advanceTimersByTimeAsync(5_000)
  expect([allowed(), asked]).toEqual([[40], [null, 70, 220]])
  await subject.stop()
})

test('where a place was given back and taken it counts once', async () => {
  const { subject, state, allowed, givesBack } = await looks()
  await vi.advanceTimersByTimeAsync(5_000)
  allowed()
  givesBack(6)
  state.attempts += 5
  await vi.advanceTimersByTimeAsync(200)
  expect(allowed()).toEqual([6])
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
  const { subject, state, allowed } = await looks()
  state.away = true
  await vi.advanceTimersByTimeAsync(5_000)
  state.away = false
  await vi.advanceTimersByTimeAsync(5_000)
  expect(allowed()).toEqual([40, 40])
  await subject.stop()
})
