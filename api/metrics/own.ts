import { activeStatuses } from '../../model/job.ts'
import type { GroupDebt } from '../../model/reaper-report.ts'
import type { GroupLoad, readJobCounts, Totals } from '../../store/metrics.ts'
import type { PreflightRow } from '../../store/preflights.ts'
import type { MetricFamily } from './prometheus.ts'

/** What our metrics are made of. */
export interface OwnMeasures {
  totals: Totals
  jobs: Awaited<ReturnType<typeof readJobCounts>>
  groups: GroupLoad[]
  /** By the last pass of the reaper; null before the first one. */
  debt: { groups: GroupDebt[]; measured: string; unreachable: number } | null
  /** The last test of each group that has one. */
  tests: Map<number, PreflightRow>
}

/** Metrics that AWX has none of: capacity, clean-up, tests. */
export function ownFamilies({ totals, jobs, groups, debt, tests }: OwnMeasures): MetricFamily[] {
  const one = (name: string, help: string, value: number): MetricFamily => ({ name, help, samples: [{ value }] })
  const byGroup = (name: string, help: string, read: (group: GroupLoad) => number | undefined): MetricFamily => ({
    name,
    help,
    samples: groups.flatMap((group) => {
      const value = read(group)
      return value === undefined ? [] : [{ labels: { group: group.name }, value }]
    }),
  })
  const seconds = (instant: string | null | undefined) => (instant ? Date.parse(instant) / 1000 : undefined)
  return [
    {
      name: 'mayfly_jobs',
      help: 'Jobs that have not ended, by status',
      samples: activeStatuses.map((status) => ({
        labels: { status },
        value: jobs.find((found) => found.status === status)?.all ?? 0,
      })),
    },
    one('mayfly_outbox_messages', 'Messages to Temporal that are on their way', totals.outbox),
    one(
      'mayfly_outbox_resting',
      'Starts of jobs that are sent as their line gets shorter, or when it is their turn',
      totals.resting,
    ),
    one('mayfly_outbox_oldest_seconds', 'Age of the oldest of them', totals.outboxAge),
    byGroup('mayfly_group_live_attempts', 'Places of the group that are taken', ({ attempts }) => attempts),
    byGroup('mayfly_group_pods', 'Places of the group that have a pod', ({ pods }) => pods),
    byGroup('mayfly_group_forks', 'Forks that count against max_forks', ({ forks }) => forks),
    byGroup(
      'mayfly_group_max_concurrent_jobs',
      'Limit of places; 0: none',
      ({ maxConcurrentJobs }) => maxConcurrentJobs,
    ),
    byGroup('mayfly_group_max_forks', 'Limit of forks; 0: none', ({ maxForks }) => maxForks),
    byGroup('mayfly_group_brake_closed', 'Whether the cluster has no room for the group', ({ brake }) =>
      brake === null ? 0 : 1,
    ),
    byGroup('mayfly_group_draining', 'Whether the group is being drained', ({ draining }) => (draining ? 1 : 0)),
    byGroup('mayfly_group_test_ok', 'Whether the last test of the group found nothing wrong', ({ id }) => {
      const test = tests.get(id)
      return test && (test.ok ? 1 : 0)
    }),
    byGroup('mayfly_group_test_timestamp_seconds', 'When that test ended', ({ id }) =>
      seconds(tests.get(id)?.finished),
    ),
    ...debtFamilies(groups, debt),
  ]
}

function debtFamilies(groups: GroupLoad[], debt: OwnMeasures['debt']): MetricFamily[] {
  if (!debt) return []
  const names = new Map(groups.map(({ id, name }) => [id, name]))
  const known = new Map<string, { pods: number; seconds: number }>(
    groups.map(({ name }) => [name, { pods: 0, seconds: 0 }]),
  )
  for (const { instance_group: id, pods, seconds } of debt.groups) {
    // Pods of groups that were deleted, and those that do not say of which they are.
    const name = (id !== null && names.get(id)) || ''
    const so = known.get(name) ?? { pods: 0, seconds: 0 }
    known.set(name, { pods: so.pods + pods, seconds: so.seconds + seconds })
  }
  const samples = (read: (one: { pods: number; seconds: number }) => number) =>
    [...known].map(([group, one]) => ({ labels: { group }, value: read(one) }))
  return [
    {
      name: 'mayfly_cleanup_debt_pods',
      help: 'Pods that no live workflow owns',
      samples: samples(({ pods }) => pods),
    },
    {
      name: 'mayfly_cleanup_debt_seconds',
      help: 'How long they should have been gone, all together',
      samples: samples(({ seconds }) => seconds),
    },
    {
      name: 'mayfly_cleanup_debt_timestamp_seconds',
      help: 'When that was measured',
      samples: [{ value: Date.parse(debt.measured) / 1000 }],
    },
    {
      name: 'mayfly_cleanup_unreachable_clusters',
      help: 'Clusters that could not be looked at then',
      samples: [{ value: debt.unreachable }],
    },
  ]
}
