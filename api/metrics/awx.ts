import { jobStatuses } from '../../model/job.ts'
import type { readJobCounts, Totals } from '../../store/metrics.ts'
import type { RequestContext } from '../context.ts'
import { productVersion } from '../middleware.ts'
import type { MetricFamily } from './prometheus.ts'

type JobCounts = Awaited<ReturnType<typeof readJobCounts>>

/** AWX's metrics of what there is here, by its names. */
export function awxFamilies({ deps }: RequestContext, totals: Totals, jobs: JobCounts): MetricFamily[] {
  const one = (name: string, help: string, value: number): MetricFamily => ({ name, help, samples: [{ value }] })
  const count = (...statuses: string[]) =>
    jobs.filter(({ status }) => statuses.includes(status)).reduce((sum, { launched }) => sum + launched, 0)
  const node = { hostname: deps.nodeName, instance_uuid: deps.installUuid, node_type: 'control' }
  const ofNode = (name: string, help: string): MetricFamily => ({ name, help, samples: [{ labels: node, value: 0 }] })
  return [
    {
      name: 'awx_system_info',
      help: 'AWX System Information',
      samples: [{ labels: systemInfo(deps), value: 1 }],
    },
    one('awx_organizations_total', 'Number of organizations', totals.organizations),
    one('awx_users_total', 'Number of users', totals.users),
    one('awx_teams_total', 'Number of teams', 0),
    one('awx_inventories_total', 'Number of inventories', totals.inventories),
    one('awx_projects_total', 'Number of projects', totals.projects),
    one('awx_job_templates_total', 'Number of job templates', totals.jobTemplates),
    one('awx_workflow_job_templates_total', 'Number of workflow job templates', totals.workflowJobTemplates),
    {
      name: 'awx_hosts_total',
      help: 'Number of hosts',
      samples: [
        { labels: { type: 'all' }, value: totals.hosts },
        { labels: { type: 'active' }, value: totals.activeHosts },
      ],
    },
    one('awx_schedules_total', 'Number of schedules', totals.schedules),
    {
      name: 'awx_sessions_total',
      help: 'Number of sessions',
      samples: [
        { labels: { type: 'all' }, value: totals.sessions },
        { labels: { type: 'user' }, value: totals.sessions },
        { labels: { type: 'anonymous' }, value: 0 },
      ],
    },
    one('awx_running_jobs_total', 'Number of running jobs on the system', count('running', 'waiting')),
    one('awx_pending_jobs_total', 'Number of pending jobs on the system', count('pending')),
    {
      name: 'awx_status_total',
      help: 'Status of Job launched',
      samples: jobStatuses
        .filter((status) => status !== 'new')
        .map((status) => ({ labels: { status }, value: count(status) })),
    },
    ofNode('awx_instance_capacity', 'Capacity of each node in the system'),
    ofNode('awx_instance_consumed_capacity', 'Consumed capacity of each node in the system'),
    ofNode('awx_instance_remaining_capacity', 'Remaining capacity of each node in the system'),
    {
      name: 'awx_instance_info',
      help: 'Info about each node in the system',
      samples: [{ labels: { ...node, enabled: 'True', managed_by_policy: 'True', version: productVersion }, value: 1 }],
    },
  ]
}

function systemInfo({ installUuid, publicUrl }: RequestContext['deps']): Record<string, string> {
  return {
    install_uuid: installUuid,
    insights_analytics: 'off',
    tower_url_base: publicUrl,
    tower_version: productVersion,
    license_type: 'open',
  }
}
