import { expect, test } from 'vitest'
import { resolveEnvironment } from './execution-environment.ts'
import { hostsThatMatter, type ImpactFacts, jobImpact, sliceShare, taskImpact } from './task-impact.ts'

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

test.each<[string, Partial<ImpactFacts>, number]>([
  ['a playbook', {}, 6],
  ['an ad hoc command', { type: 'ad_hoc_command', forks: 2 }, 3],
  ['a callback is for one host', { launchType: 'callback' }, 3],
  ['a container runs no play', { isContainer: true, hosts: null }, 1],
  ['an inventory update', { type: 'inventory_update', hosts: null }, 1],
  ['a project update', { type: 'project_update' }, 1],
  ['a sync holds nothing of its own', { type: 'project_update', launchType: 'sync' }, 0],
])('%s counts as AWX has it', (_what, facts, impact) => {
  const job = { type: 'job', launchType: 'manual', forks: 0, hosts: 100, sliceNumber: 0, sliceCount: 1 }
  expect(taskImpact({ ...job, isContainer: false, ...facts })).toBe(impact)
})

test('hosts beyond those that matter change no impact', () => {
  for (const forks of [0, 1, 7])
    for (const sliceCount of [1, 3])
      for (const sliceNumber of sliceCount === 1 ? [0] : [1, 2, 3]) {
        const enough = hostsThatMatter({ forks, sliceCount })
        const impact = (hosts: number) => jobImpact({ forks, hosts, sliceNumber, sliceCount })
        for (const more of [0, 1, 2, 50]) expect(impact(enough + more)).toBe(impact(enough))
      }
})

test('slices share all hosts', () => {
  expect([1, 2, 3].map((number) => sliceShare(11, number, 3)).reduce((sum, share) => sum + share, 0)).toBe(11)
})

test('the nearest execution environment decides', () => {
  expect(resolveEnvironment({ job: null, template: undefined, project: 4, organization: 5, global: 9 })).toBe(4)
  expect(resolveEnvironment({ global: 9 })).toBe(9)
  expect(resolveEnvironment({})).toBeNull()
})
