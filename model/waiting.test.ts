import { expect, test } from 'vitest'
import { explainWaiting, type WaitingJob } from './waiting.ts'

const job = (changes: Partial<WaitingJob>): WaitingJob => ({
  created: '2026-11-21T13:00:00.000001Z',
  waitingSince: '2026-11-21T13:17:15.519959Z',
  waitingReason: '',
  groups: [{ name: 'k8s', maxConcurrentJobs: 3, running: 3, brake: null }],
  place: 2,
  unsent: null,
  ...changes,
})
const quota = "the quota 'compute' of namespace jobs is used up: requests.cpu 4 of 4"

test.each<[string, Partial<WaitingJob>, string]>([
  [
    'a full group',
    {},
    "Waiting since 2026-11-21T13:17:15Z for a place in instance group 'k8s': 3 of 3 concurrent jobs are running (max_concurrent_jobs). Place 2 in line.",
  ],
  [
    'a brake says more than the limit',
    { groups: [{ name: 'k8s', maxConcurrentJobs: 3, running: 3, brake: `${quota}.` }], place: 1 },
    `Waiting since 2026-11-21T13:17:15Z for a place in instance group 'k8s': ${quota}. Place 1 in line.`,
  ],
  [
    'two groups',
    {
      groups: [
        { name: 'k8s', maxConcurrentJobs: 3, running: 3, brake: null },
        { name: 'big', maxConcurrentJobs: 0, running: 9, brake: quota },
      ],
    },
    `Waiting since 2026-11-21T13:17:15Z for a place in instance group 'k8s': 3 of 3 concurrent jobs are running (max_concurrent_jobs); or in instance group 'big': ${quota}. Place 2 in line.`,
  ],
  [
    'a dependency',
    { waitingReason: 'waiting for project_update-12 to finish' },
    'Waiting since 2026-11-21T13:17:15Z: waiting for project_update-12 to finish',
  ],
  [
    'not sent',
    { waitingSince: null, unsent: { lastError: '' } },
    'Waiting since 2026-11-21T13:00:00Z to be handed to Temporal.',
  ],
  [
    'not sent and failing',
    { waitingSince: null, unsent: { lastError: 'connection refused' } },
    'Waiting since 2026-11-21T13:00:00Z to be handed to Temporal: connection refused',
  ],
  ['before it is prepared', { waitingSince: null }, 'Waiting since 2026-11-21T13:00:00Z to be prepared.'],
  [
    'a free place',
    { groups: [{ name: 'k8s', maxConcurrentJobs: 0, running: 9, brake: null }], place: 1 },
    "Waiting since 2026-11-21T13:17:15Z for a place in instance group 'k8s': a place is free and about to be given. Place 1 in line.",
  ],
  [
    'all its groups deleted',
    { groups: [] },
    'Waiting since 2026-11-21T13:17:15Z: no instance group is left that it may run in.',
  ],
])('%s', (_, changes, sentence) => {
  expect(explainWaiting(job(changes))).toBe(sentence)
})
