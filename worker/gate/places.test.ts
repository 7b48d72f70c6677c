import { expect, test } from 'vitest'
import { Places } from './places.ts'

test('a place counts once, whether its claim, its pod or both are known', () => {
  const places = new Places()
  places.claimed('automation-job-1-1')
  expect(places.taken).toBe(1)
  places.showPods(new Set(['automation-job-1-1', 'automation-job-2-1']))
  expect(places.taken).toBe(2)
  places.showPods(new Set(['automation-job-2-1']))
  expect(places.taken, 'the pod is gone, its claim is not').toBe(2)
  places.released('automation-job-1-1')
  expect(places.taken).toBe(1)
})

test('what the store says replaces the claims that were only heard of', () => {
  const places = new Places()
  places.claimed('a')
  places.claimed('b')
  places.showClaims(['b', 'c'])
  expect(places.taken).toBe(2)
})
