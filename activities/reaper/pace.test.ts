import { expect, test } from 'vitest'
import { Pace } from './pace.ts'

/** A clock that only sleeping moves; everybody who asks at once sleeps from the same instant. */
function clock() {
  const slept: number[] = []
  let now = 0
  return {
    slept,
    pass: (ms: number) => {
      now += ms
    },
    now: () => now,
    sleep: async (ms: number) => {
      slept.push(ms)
    },
  }
}
const never = new AbortController().signal

test('those who ask at once go one after the other', async () => {
  const time = clock()
  const pace = new Pace(10, time)
  await Promise.all(Array.from({ length: 5 }, () => pace.turn(never)))
  expect(time.slept).toEqual([100, 200, 300, 400])
})

test('who comes late waits for nobody, and leaves no turns over', async () => {
  const time = clock()
  const pace = new Pace(10, time)
  await pace.turn(never)
  time.pass(5_000)
  await pace.turn(never)
  await pace.turn(never)
  expect(time.slept).toEqual([100])
})

test('fewer than one a second', async () => {
  const time = clock()
  const pace = new Pace(0.5, time)
  await pace.turn(never)
  time.pass(500)
  await pace.turn(never)
  expect(time.slept).toEqual([1_500])
})

test('whoever gives up is not let through', async () => {
  const pace = new Pace(10, clock())
  await expect(pace.turn(AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
})
