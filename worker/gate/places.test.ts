import { expect, test } from 'vitest'
import { Places } from './places.ts'

test('a place counts once, whether its claim, its pod or both are known', () => {
  const places = new Places()
  places.claimed('automation-job-1-1', 6)
  expect([places.taken, places.unseen]).toEqual([{ jobs: 1, forks: 6 }, 1])
  places.showPods(
    new Map([
      ['automation-job-1-1', 6],
      ['automation-job-2-1', 3],
    ]),
  )
  expect([places.taken, places.unseen]).toEqual([{ jobs: 2, forks: 9 }, 0])
  places.showPods(new Map([['automation-job-2-1', 3]]))
  expect(places.taken, 'the pod is gone, its claim is not').toEqual({ jobs: 2, forks: 9 })
  expect(places.released('automation-job-1-1')).toBe(true)
  expect(places.taken).toEqual({ jobs: 1, forks: 3 })
  expect(places.released('automation-job-1-1'), 'told again').toBe(false)
})

test('what the store says replaces the claims that were only heard of', () => {
  const places = new Places()
  places.claimed('a', 1)
  places.claimed('b', 2)
  places.showClaims([
    ['b', 2],
    ['c', 4],
  ])
  expect(places.taken).toEqual({ jobs: 2, forks: 6 })
})
