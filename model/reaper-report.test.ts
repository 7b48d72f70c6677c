import { expect, test } from 'vitest'
import { debtOf, type ReaperFinding, reaperReport } from './reaper-report.ts'

const finding = (pod: string, more: Partial<ReaperFinding> = {}): ReaperFinding => ({
  ...{ kind: 'pod', cluster: 'k8s', namespace: 'jobs', pod, job: 1, instance_group: 3, reason: 'no_owner' },
  ...{ outcome: 'due', overdue: 10, message: '', ...more },
})

test('debt is by group, largest first, and what was seen to is none', () => {
  expect(
    debtOf([
      finding('a'),
      finding('b', { overdue: 30, outcome: 'failed' }),
      finding('c', { outcome: 'done' }),
      finding('d', { instance_group: null, outcome: 'waits', overdue: 0 }),
      finding('', { kind: 'job' }),
    ]),
  ).toEqual([
    { instance_group: 3, pods: 2, seconds: 40, longest: 30 },
    { instance_group: null, pods: 1, seconds: 0, longest: 0 },
  ])
})

test('a pod that is found as a place and as a pod counts once; its namesake elsewhere is another', () => {
  const twice = [finding('a', { kind: 'attempt' }), finding('a'), finding('a', { cluster: 'other' })]
  expect(debtOf(twice)).toMatchObject([{ pods: 2 }])
})

test('a report lists the most pressing, and counts all', () => {
  const many = Array.from({ length: 600 }, (_, index) => finding(`pod-${index}`, { overdue: index }))
  const { findings, omitted, debt } = reaperReport([], many)
  expect([findings.length, findings[0]?.overdue, omitted]).toEqual([500, 599, 100])
  expect(debt).toMatchObject([{ pods: 600 }])
})
