import { expect, test } from 'vitest'
import { blocksOf, type GroupLoad, whyOf } from './group-load.ts'
import { explainWaiting, rests, type WaitingJob, type WaitReason } from './waiting.ts'

const group = (changes: Partial<GroupLoad> = {}): GroupLoad => ({
  ...{ id: 1, name: 'k8s', maxConcurrentJobs: 3, running: 3, maxForks: 0, forks: 15 },
  ...{ newestClaim: '2026-11-21T13:10:00Z', brake: null, drainingSince: null, drainDeadline: null },
  ...changes,
})
const job = (changes: Partial<WaitingJob>): WaitingJob => ({
  type: 'job',
  created: '2026-11-21T13:00:00.000001Z',
  waitingSince: '2026-11-21T13:17:15.519959Z',
  waitingReason: '',
  waitingText: '',
  impact: 6,
  groups: [group()],
  place: { place: 2, shared: false },
  unsent: null,
  startedBy: null,
  expires: null,
  worker: { alive: true, seen: '2026-11-21T13:20:00Z' },
  ...changes,
})
const brake = {
  kind: 'quota' as const,
  reason: "the quota 'compute' of namespace jobs is used up: requests.cpu 4 of 4.",
  since: '2026-11-21T12:00:00Z',
}
const inLine = 'Waiting since 2026-11-21T13:17:15Z for a place in instance group'

test.each<[string, Partial<WaitingJob>, WaitReason, string]>([
  [
    'a full group',
    {},
    'capacity',
    `${inLine} 'k8s': 3 of 3 concurrent jobs are running (max_concurrent_jobs). Place 2 in line.`,
  ],
  [
    'forks that are in use',
    { groups: [group({ maxConcurrentJobs: 0, maxForks: 20 })] },
    'capacity',
    `${inLine} 'k8s': 15 of 20 forks are in use, and this job counts 6 (max_forks). Place 2 in line.`,
  ],
  [
    'a brake says more than the limit',
    { groups: [group({ brake })], place: { place: 1, shared: false } },
    'capacity',
    `${inLine} 'k8s': the quota 'compute' of namespace jobs is used up: requests.cpu 4 of 4. Place 1 in line.`,
  ],
  [
    'a drained group',
    { groups: [group({ drainingSince: '2026-11-21T13:01:00Z', brake })] },
    'capacity',
    `${inLine} 'k8s': it is drained since 2026-11-21T13:01:00Z and admits nobody. Place 2 in line.`,
  ],
  [
    'two groups',
    { groups: [group(), group({ name: 'big', maxConcurrentJobs: 0, brake })] },
    'capacity',
    `${inLine} 'k8s': 3 of 3 concurrent jobs are running (max_concurrent_jobs); or in instance group 'big': the quota 'compute' of namespace jobs is used up: requests.cpu 4 of 4. Place 2 in line.`,
  ],
  [
    'a place by fair shares is about that',
    { place: { place: 7, shared: true } },
    'capacity',
    `${inLine} 'k8s': 3 of 3 concurrent jobs are running (max_concurrent_jobs). Place about 7 in line.`,
  ],
  [
    'a dependency',
    { waitingReason: 'dependency', waitingText: 'waiting for project_update-12 to finish' },
    'dependency',
    'Waiting since 2026-11-21T13:17:15Z: waiting for project_update-12 to finish',
  ],
  [
    'not sent',
    { waitingSince: null, unsent: { lastError: '', place: 1, rests: false } },
    'handover',
    'Waiting since 2026-11-21T13:00:00Z to be handed to Temporal.',
  ],
  [
    'not sent in a burst',
    { waitingSince: null, unsent: { lastError: '', place: 12, rests: false } },
    'handover',
    'Waiting since 2026-11-21T13:00:00Z to be handed to Temporal. Place 12 in the outbox, whose messages are sent as fast as workers take them up.',
  ],
  [
    'not sent, because the line is long',
    { waitingSince: null, unsent: { lastError: '', place: 812, rests: true }, place: { place: 1312, shared: false } },
    'capacity',
    "Waiting since 2026-11-21T13:00:00Z for a place in instance group 'k8s': 3 of 3 concurrent jobs are running (max_concurrent_jobs). Place 1312 in line.",
  ],
  [
    'not sent and failing',
    { waitingSince: null, unsent: { lastError: 'connection refused', place: 2, rests: false } },
    'handover',
    'Waiting since 2026-11-21T13:00:00Z to be handed to Temporal: connection refused',
  ],
  [
    'not sent because there is no worker',
    {
      waitingSince: null,
      unsent: { lastError: '', place: 1, rests: false },
      worker: { alive: false, seen: '2026-11-21T12:59:00Z' },
    },
    'handover',
    'Waiting since 2026-11-21T13:00:00Z to be handed to Temporal. No worker is running (the last one was seen at 2026-11-21T12:59:00Z): start one with `mayfly worker`.',
  ],
  [
    "a node's job that is not started",
    { waitingSince: null, startedBy: 9 },
    'workflow',
    'Waiting since 2026-11-21T13:00:00Z to be started by workflow_job-9.',
  ],
  [
    'before it is prepared',
    { waitingSince: null },
    'preparation',
    'Waiting since 2026-11-21T13:00:00Z to be prepared.',
  ],
  [
    'a free place',
    { groups: [group({ maxConcurrentJobs: 0 })], place: { place: 1, shared: false } },
    'capacity',
    `${inLine} 'k8s': a place is free and about to be given. Place 1 in line.`,
  ],
  [
    'all its groups deleted',
    { groups: [] },
    'no_group',
    'Waiting since 2026-11-21T13:17:15Z: no instance group is left that it may run in.',
  ],
  [
    'an approval',
    { type: 'workflow_approval', waitingSince: null, expires: '2026-11-21T14:00:00Z' },
    'approval',
    "Waiting since 2026-11-21T13:00:00Z for somebody's decision; without one it expires at 2026-11-21T14:00:00Z.",
  ],
])('%s', (_, changes, reason, explanation) => {
  expect(explainWaiting(job(changes))).toMatchObject({ reason, explanation })
})

test('a group that was full before the job came is full since its last place was taken', () => {
  expect(blocksOf(group(), job({}))).toEqual([
    {
      kind: 'max_concurrent_jobs',
      message: '3 of 3 concurrent jobs are running (max_concurrent_jobs)',
      since: '2026-11-21T13:10:00Z',
      used: 3,
      limit: 3,
    },
  ])
})

test('a place that another job was given while this one stood in line does not begin the wait anew', () => {
  const [block] = blocksOf(group({ newestClaim: '2026-11-21T13:18:00Z' }), job({}))
  expect(block?.since).toBe('2026-11-21T13:17:15.519959Z')
})

test('all that keeps a job out is told, and which word its record has for it', () => {
  const load = group({ drainingSince: '2026-11-21T13:01:00Z', brake, maxForks: 5 })
  const blocks = blocksOf(load, job({}))
  expect(blocks.map(({ kind }) => kind)).toEqual(['draining', 'quota', 'never_fits'])
  expect(blocks.map(whyOf)).toEqual(['draining', 'braked', 'cannot_run'])
  expect(whyOf({ kind: 'unreachable' })).toBe('unreachable')
  expect(whyOf({ kind: 'max_forks' })).toBe('full')
})

const free = group({ maxConcurrentJobs: 0 })
test.each<[string, Parameters<typeof rests>[0], Parameters<typeof rests>[1], boolean]>([
  ['behind others', { lastError: '', inLine: true }, [{ load: free, standing: 9 }], true],
  ['where there is no place', { lastError: '', inLine: true }, [{ load: group(), standing: 0 }], true],
  ['nobody before it, and a place', { lastError: '', inLine: true }, [{ load: free, standing: 0 }], false],
  [
    'one of its groups would take it',
    { lastError: '', inLine: true },
    [
      { load: group(), standing: 9 },
      { load: free, standing: 0 },
    ],
    false,
  ],
  ['it could not be sent', { lastError: 'away', inLine: true }, [{ load: group(), standing: 9 }], false],
  ['of a kind that no line holds back', { lastError: '', inLine: false }, [{ load: group(), standing: 9 }], false],
  ['no group is left', { lastError: '', inLine: true }, [], false],
])('whether a start rests: %s', (_, unsent, groups, expected) => {
  expect(rests(unsent, groups, 1)).toBe(expected)
})
