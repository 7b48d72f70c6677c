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

test('what is heard while the store is being read holds, whether the answer is older or newer', () => {
  const places = new Places()
  places.claimed('before', 1)
  places.reading()
  places.claimed('meanwhile', 2)
  places.released('over')
  places.claimed('short', 16)
  places.released('short')
  const older: [string, number][] = [
    ['before', 1],
    ['over', 4],
  ]
  places.showClaims(older)
  expect(places.taken).toEqual({ jobs: 2, forks: 3 })

  places.reading()
  places.showClaims([['meanwhile', 2]])
  expect(places.taken, 'what was heard before is in the answer').toEqual({ jobs: 1, forks: 2 })
})
