import { expect, test } from 'vitest'
import type { Block, GroupLoad } from './group-load.ts'
import { estimateStart, type Line, placeInLine } from './place-in-line.ts'

const line = (changes: Partial<Line>): Line => ({ before: 0, standing: 0, own: 1, weight: 1, others: [], ...changes })
const other = (waiting: number, weight = 1) => ({ waiting, weight })

test.each<[string, Partial<Line>, number, boolean]>([
  ['the first of all', {}, 1, false],
  ['who came later stands behind', { own: 4 }, 4, false],
  ['higher priorities go first', { before: 10, own: 4 }, 14, false],
  ['equal shares: as many of the other organization, less half a turn', { own: 4, others: [other(100)] }, 8, true],
  ['no more of the others than there are', { own: 40, others: [other(3)] }, 43, true],
  ['a heavier organization has more of its jobs before it', { own: 2, others: [other(100, 3)] }, 7, true],
  ['a light organization has few', { own: 4, weight: 4, others: [other(100)] }, 5, true],
  ['several organizations', { own: 1, others: [other(9), other(9), other(9)] }, 3, true],
])('%s', (_, changes, place, shared) => {
  expect(placeInLine(line(changes))).toEqual({ place, shared })
})

const load: GroupLoad = {
  ...{ id: 1, name: 'k8s', maxConcurrentJobs: 4, maxForks: 0, running: 4, forks: 4 },
  ...{ newestClaim: null, brake: null, drainingSince: null, drainDeadline: null },
}
const block = (kind: Block['kind']): Block => ({ kind, message: '', since: null, used: null, limit: null })
const held = { meanSeconds: 40, attempts: 50 }

test.each<[string, Partial<GroupLoad>, Block[], number, typeof held | null, number | null, RegExp]>([
  ['a free place', { running: 1 }, [], 1, held, 0, /free/],
  ['a full group', {}, [block('max_concurrent_jobs')], 3, held, 30, /^place 3 × 40 s, .* last 50 .* ÷ 4 places$/],
  ['a quota: the places there are now', { running: 2 }, [block('quota')], 3, held, 60, /÷ 2 places/],
  ['forks: the places there are now', { running: 2 }, [block('max_forks')], 1, held, 20, /÷ 2 places/],
  ['nothing has ended', {}, [block('max_concurrent_jobs')], 1, null, null, /no job .* has ended/],
  ['nothing runs', { running: 0 }, [block('quota')], 1, held, null, /nothing runs/],
  ['unreachable', {}, [block('unreachable'), block('max_concurrent_jobs')], 1, held, null, /cannot be reached/],
  ['drained', {}, [block('draining')], 1, held, null, /drained/],
])('the start is estimated: %s', (_, changes, blocks, place, mean, seconds, basis) => {
  const estimate = estimateStart({ ...load, ...changes }, blocks, place, mean)
  expect(estimate).toEqual({ seconds, basis: expect.stringMatching(basis) })
})
