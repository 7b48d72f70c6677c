import { expect, test } from 'vitest'
import { resolveEnvironment } from './execution-environment.ts'
import { jobImpact, sliceShare } from './task-impact.ts'

test.each([
  [{ forks: 0, hosts: 3 }, 4],
  [{ forks: 0, hosts: 300 }, 6],
  [{ forks: 50, hosts: 300 }, 51],
  [{ forks: 10, hosts: 2 }, 3],
  [{ forks: 0, hosts: 0 }, 1],
  [{ forks: 7, hosts: null }, 8],
  [{ forks: 10, hosts: 10, sliceNumber: 1, sliceCount: 3 }, 5],
  [{ forks: 10, hosts: 10, sliceNumber: 3, sliceCount: 3 }, 4],
])('impact of %j is %i', (job, impact) => {
  expect(jobImpact(job)).toBe(impact)
})

test('slices share all hosts', () => {
  expect([1, 2, 3].map((number) => sliceShare(11, number, 3)).reduce((sum, share) => sum + share, 0)).toBe(11)
})

test('the nearest execution environment decides', () => {
  expect(resolveEnvironment({ job: null, template: undefined, project: 4, organization: 5, global: 9 })).toBe(4)
  expect(resolveEnvironment({ global: 9 })).toBe(9)
  expect(resolveEnvironment({})).toBeNull()
})
