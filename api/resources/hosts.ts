import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import { groupHosts, groups, hosts } from '../../store/schema/inventory.ts'
import { jobEvents, jobHostSummaries } from '../../store/schema/jobs.ts'
import { inventorySourceHosts } from '../../store/schema/updates.ts'
import { adHocCommandEventsOfHost, adHocCommandsOfHost, isOf } from '../adhoc/below.ts'
import type { RequestContext, Row } from '../context.ts'
import { BadRequestError } from '../errors.ts'
import { descriptionField, nameField } from '../field.ts'
import { groupsOfHost } from '../inventories/group-tree.ts'
import { checkHost } from '../inventories/member-rules.ts'
import { variableDataAction } from '../inventories/variable-data.ts'
import { type JobSummary, loadJobSummaries } from '../jobs/job-summaries.ts'
import { defineResource } from '../resource.ts'

type Host = typeof hosts.$inferSelect

/** `/api/v2/hosts/`: machines of inventories. */
export const hostsResource = defineResource({
  name: 'hosts',
  type: 'host',
  model: 'Host',
  table: hosts,
  fields: {
    name: nameField(),
    description: descriptionField(),
    inventory: { kind: 'id', to: 'inventory', required: true, createOnly: true },
    enabled: { kind: 'boolean', default: true },
    instance_id: { kind: 'string', maxLength: 1024, default: '' },
    variables: { kind: 'json', holds: 'variables', default: '', unsearchable: true },
    has_active_failures: {
      kind: 'computed',
      type: 'field',
      filterable: false,
      values: async (rows, context) => {
        const failed = await lastFailures(rows, context)
        return rows.map((row) => failed.get((row as unknown as Host).lastJobHostSummaryId ?? 0) ?? false)
      },
    },
    has_inventory_sources: {
      kind: 'computed',
      type: 'field',
      filterable: false,
      values: async (rows, context) => {
        const brought = await broughtBySources(rows, context)
        return rows.map((row) => brought.has(row.id))
      },
    },
    last_job: { kind: 'id', to: 'jobs', readOnly: true },
    last_job_host_summary: { kind: 'id', to: 'job_host_summaries', readOnly: true },
    ansible_facts_modified: { kind: 'datetime', readOnly: true },
  },
  relations: {
    groups: { kind: 'through', to: 'groups', table: groupHosts, parent: 'hostId', child: 'groupId' },
    inventory_sources: {
      kind: 'through',
      to: 'inventory_sources',
      table: inventorySourceHosts,
      parent: 'hostId',
      child: 'inventorySourceId',
    },
    job_events: { kind: 'many', to: 'job_events', column: 'hostId' },
    job_host_summaries: { kind: 'many', to: 'job_host_summaries', column: 'hostId' },
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name'], ['inventory__name'], ['inventory__organization__name']],
  summary: { fields: ['name', 'description'] },
  capabilities: ['edit', 'delete'],
  unique: [{ fields: ['name', 'inventory'] }],
  subLists: {
    groups: {
      relation: 'groups',
      attach: true,
      create: true,
      async check(host, group) {
        if (group.inventoryId !== host.inventoryId) throw differentInventories()
      },
      title: 'Host Groups List',
    },
    all_groups: {
      resource: 'groups',
      where: (host) => sql`${groups.id} IN ${groupsOfHost(host.id)}`,
      title: 'Host All Groups List',
    },
    job_events: {
      resource: 'job_events',
      where: (host) => and(eq(jobEvents.hostId, host.id), isOf('job', jobEvents.jobId)) ?? sql`false`,
      title: 'Host Job Events List',
    },
    job_host_summaries: {
      resource: 'job_host_summaries',
      where: (host) => and(eq(jobHostSummaries.hostId, host.id), isOf('job', jobHostSummaries.jobId)) ?? sql`false`,
      title: 'Host Job Host Summaries List',
    },
    ad_hoc_commands: adHocCommandsOfHost,
    inventory_sources: { relation: 'inventory_sources', title: 'Host Inventory Sources List' },
    ad_hoc_command_events: adHocCommandEventsOfHost,
  },
  actions: {
    variable_data: variableDataAction(hosts),
    ansible_facts: { GET: async ({ object }) => ({ status: 200, body: object.ansibleFacts }) },
  },
  hooks: { validate: checkHost },
  async summaries(rows, context) {
    const memberships = await groupsOf(rows, context)
    const recent = await recentJobs(rows, context)
    const jobs = await loadJobSummaries(
      [...rows.map((host) => host.lastJobId), ...[...recent.values()].flat()],
      context,
    )
    return rows.map((host) => {
      const last = jobs.get(host.lastJobId ?? 0)
      const own = memberships.get(host.id) ?? []
      return {
        ...(last ? { last_job: lastJob(last) } : {}),
        groups: { count: own.length, results: own.slice(0, 5) },
        recent_jobs: (recent.get(host.id) ?? []).flatMap((id) => {
          const job = jobs.get(id)
          return job ? [{ id, name: job.name, type: job.type, status: job.status, finished: job.finished }] : []
        }),
      }
    })
  },
})

/** 400 of hosts and groups that belong to different inventories. */
export function differentInventories(): BadRequestError {
  return new BadRequestError('Cannot associate two items from different inventories.')
}

function lastJob(job: JobSummary): Record<string, unknown> {
  const { id, name, description, finished, status, failed, jobTemplateId, jobTemplateName } = job
  return {
    ...{ id, name, description, finished, status, failed },
    ...(jobTemplateId === null ? {} : { job_template_id: jobTemplateId, job_template_name: jobTemplateName }),
  }
}

async function lastFailures(rows: readonly Row[], context: RequestContext): Promise<Map<number, boolean>> {
  const ids = rows.flatMap((row) => (row as unknown as Host).lastJobHostSummaryId ?? [])
  if (ids.length === 0) return new Map()
  const found = await context.db
    .select({ id: jobHostSummaries.id, failed: jobHostSummaries.failed })
    .from(jobHostSummaries)
    .where(inArray(jobHostSummaries.id, ids))
  return new Map(found.map((row) => [row.id, row.failed]))
}

/** Ids of the hosts that an inventory source brought. */
async function broughtBySources(rows: readonly Row[], context: RequestContext): Promise<Set<number>> {
  const ids = rows.map(({ id }) => id)
  if (ids.length === 0) return new Set()
  const found = await context.db
    .select({ id: inventorySourceHosts.hostId })
    .from(inventorySourceHosts)
    .where(inArray(inventorySourceHosts.hostId, ids))
  return new Set(found.map(({ id }) => id))
}

async function groupsOf(
  rows: readonly Host[],
  context: RequestContext,
): Promise<Map<number, { id: number; name: string }[]>> {
  const found = await context.db
    .select({ hostId: groupHosts.hostId, id: groups.id, name: groups.name })
    .from(groupHosts)
    .innerJoin(groups, sql`${groups.id} = ${groupHosts.groupId}`)
    .where(
      inArray(
        groupHosts.hostId,
        rows.map((host) => host.id),
      ),
    )
    .orderBy(groups.name)
  const map = new Map<number, { id: number; name: string }[]>(rows.map((host) => [host.id, []]))
  for (const { hostId, ...group } of found) map.get(hostId)?.push(group)
  return map
}

/** Ids of the last five jobs of each host, newest first. */
async function recentJobs(rows: readonly Host[], context: RequestContext): Promise<Map<number, number[]>> {
  const ranked = context.db
    .select({
      hostId: jobHostSummaries.hostId,
      jobId: jobHostSummaries.jobId,
      rank: sql<number>`row_number() OVER (PARTITION BY ${jobHostSummaries.hostId} ORDER BY ${desc(jobHostSummaries.jobId)})`.as(
        'rank',
      ),
    })
    .from(jobHostSummaries)
    .where(
      and(
        inArray(
          jobHostSummaries.hostId,
          rows.map((host) => host.id),
        ),
        isOf('job', jobHostSummaries.jobId),
      ),
    )
    .as('ranked')
  const found = await context.db.select().from(ranked).where(sql`${ranked.rank} <= 5`).orderBy(desc(ranked.jobId))
  const map = new Map<number, number[]>()
  for (const { hostId, jobId } of found) {
    if (hostId !== null) map.set(hostId, [...(map.get(hostId) ?? []), jobId])
  }
  return map
}
