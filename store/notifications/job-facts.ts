import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import { isFinal, type JobStatus, type JobType } from '../../model/job.ts'
import type { JobFacts } from '../../model/notifications/job.ts'
import type { JobSnapshot } from '../../model/notifications/snapshot.ts'
import type { Database } from '../database.ts'
import { toWireTime } from '../instant.ts'
import { parentTable } from '../job-parent.ts'
import { credentials, credentialTypes, instanceGroups } from '../schema/catalog.ts'
import { users } from '../schema/identity.ts'
import { groups, hosts, inventories } from '../schema/inventory.ts'
import { jobHostSummaries, unifiedJobCredentials, unifiedJobs } from '../schema/jobs.ts'
import { labels, unifiedJobLabels } from '../schema/labels.ts'
import { projects } from '../schema/templates.ts'
import { inventorySources } from '../schema/updates.ts'
import { workflowJobNodes } from '../schema/workflow-jobs.ts'

type JobRow = typeof unifiedJobs.$inferSelect

/** Reads a job as messages see it, as it was at the snapshot; undefined when it was deleted. */
export async function readJobFacts(db: Database, jobId: number, snapshot: JobSnapshot): Promise<JobFacts | undefined> {
  const [row] = await db
    .select()
    .from(unifiedJobs)
    .leftJoin(users, eq(users.id, unifiedJobs.createdById))
    .leftJoin(inventories, eq(inventories.id, unifiedJobs.inventoryId))
    .leftJoin(projects, eq(projects.id, unifiedJobs.projectId))
    .leftJoin(instanceGroups, eq(instanceGroups.id, unifiedJobs.instanceGroupId))
    .where(eq(unifiedJobs.id, jobId))
  if (!row) return undefined
  const { users: user, inventories: inventory, projects: project, instance_groups: group } = row
  const ended = isFinal(snapshot.status as JobStatus)
  const job: JobRow = { ...row.unified_jobs, ...snapshot, status: snapshot.status as JobStatus }
  const template = await readTemplate(db, job)
  const summary_fields = {
    ...(inventory ? { inventory: { ...(await inventorySummary(db, inventory)) } } : {}),
    ...(project ? { project: { ...named(project), status: project.status, scm_type: project.scmType } } : {}),
    ...(template && job.type === 'job' ? { job_template: template } : {}),
    ...(template ? { unified_job_template: { ...template, unified_job_type: job.type } } : {}),
    ...(group ? { instance_group: { id: group.id, name: group.name } } : {}),
    ...(user
      ? { created_by: { id: user.id, username: user.username, first_name: user.firstName, last_name: user.lastName } }
      : {}),
    labels: await labelsOf(db, jobId),
  }
  const workflowJob = job.type === 'workflow_approval' ? await readWorkflowJob(db, job.workflowJobId) : undefined
  return {
    id: job.id,
    type: job.type,
    name: job.name,
    fields: { ...commonFields(job, ended), ...ownFields(job, ended), summary_fields },
    status: job.status,
    started: toWireTime(job.started),
    finished: toWireTime(job.finished),
    traceback: ended ? job.resultTraceback : '',
    createdBy: user?.username ?? null,
    inventory: inventory?.name ?? null,
    project: project?.name ?? null,
    credential: await machineCredential(db, jobId),
    playbook: job.playbook,
    limit: job.limit,
    extraVars: workflowJob?.extraVars ?? job.extraVars,
    hosts: ended ? await hostCounts(db, jobId) : {},
    nodes: job.type === 'workflow_job' ? await nodesOf(db, jobId) : [],
    workflowJobId: job.workflowJobId,
  }
}

/** Wire names of a job of any kind that messages may use. Python shows `created` and `modified` in its own way. */
function commonFields(job: JobRow, ended: boolean): Record<string, unknown> {
  return {
    id: job.id,
    type: job.type,
    url: `/api/v2/${paths[job.type]}/${job.id}/`,
    created: pythonTime(job.created),
    modified: pythonTime(job.modified),
    name: job.name,
    description: job.description,
    launch_type: job.launchType,
    status: job.status,
    failed: job.failed,
    started: toWireTime(job.started),
    finished: toWireTime(job.finished),
    elapsed: job.elapsed,
    job_explanation: job.jobExplanation,
    host_status_counts: ended ? job.hostStatusCounts : {},
    ...(job.type === 'workflow_job' ? {} : { execution_node: job.executionNode, controller_node: job.controllerNode }),
  }
}

const paths: Record<JobType, string> = {
  job: 'jobs',
  project_update: 'project_updates',
  inventory_update: 'inventory_updates',
  ad_hoc_command: 'ad_hoc_commands',
  system_job: 'system_jobs',
  workflow_job: 'workflow_jobs',
  workflow_approval: 'workflow_approvals',
}

/** Those that only some kinds have. */
function ownFields(job: JobRow, ended: boolean): Record<string, unknown> {
  const { limit, verbosity, timeout, forks } = job
  const [job_type, job_tags, skip_tags, diff_mode] = [job.jobType, job.jobTags, job.skipTags, job.diffMode]
  const [scm_branch, scm_revision, allow_simultaneous] = [job.scmBranch, job.scmRevision, job.allowSimultaneous]
  switch (job.type) {
    case 'job':
      return {
        ...{ job_type, limit, verbosity, timeout, forks, job_tags, skip_tags, diff_mode, scm_branch, scm_revision },
        allow_simultaneous,
        playbook: job.playbook,
        force_handlers: job.forceHandlers,
        start_at_task: job.startAtTask,
        use_fact_cache: job.useFactCache,
        job_slice_number: job.jobSliceNumber,
        job_slice_count: job.jobSliceCount,
        custom_virtualenv: null,
        artifacts: ended ? shownArtifacts(job.artifacts) : {},
      }
    case 'project_update':
      return { job_type, job_tags, timeout, scm_branch, scm_revision }
    case 'inventory_update':
      return { limit, verbosity, timeout, scm_revision }
    case 'ad_hoc_command':
      return { job_type, limit, verbosity, forks, diff_mode }
    case 'system_job':
      return { job_type }
    case 'workflow_job':
      return { limit, scm_branch, job_tags, skip_tags, allow_simultaneous }
    case 'workflow_approval':
      return {}
  }
}

/** As the wire shows them: nothing of what a task with no_log set. */
function shownArtifacts(artifacts: Record<string, unknown>): unknown {
  return artifacts._ansible_no_log ? '$hidden due to Ansible no_log flag$' : artifacts
}

function pythonTime(instant: string): string {
  return toWireTime(instant).replace('T', ' ').replace('Z', '+00:00')
}

function named({ id, name, description }: { id: number; name: string; description: string }) {
  return { id, name, description }
}

async function readTemplate(db: Database, job: JobRow) {
  const id = job.unifiedJobTemplateId
  const table = job.type === 'workflow_approval' ? undefined : parentTable(job)
  if (!table || id === null) return undefined
  const { name, description } = table
  const [template] = await db.select({ id: table.id, name, description }).from(table).where(eq(table.id, id))
  return template
}

async function inventorySummary(db: Database, inventory: typeof inventories.$inferSelect) {
  const failing = and(eq(hosts.inventoryId, inventory.id), eq(jobHostSummaries.failed, true))
  const summaries = db
    .select({ count: sql<number>`count(*)::int` })
    .from(hosts)
    .innerJoin(jobHostSummaries, eq(jobHostSummaries.id, hosts.lastJobHostSummaryId))
    .where(failing)
  const sources = await db
    .select({ status: inventorySources.status })
    .from(inventorySources)
    .where(eq(inventorySources.inventoryId, inventory.id))
  const [[failed], total_hosts, total_groups] = [
    await summaries,
    await db.$count(hosts, eq(hosts.inventoryId, inventory.id)),
    await db.$count(groups, eq(groups.inventoryId, inventory.id)),
  ]
  const hosts_with_active_failures = failed?.count ?? 0
  return {
    ...named(inventory),
    has_active_failures: hosts_with_active_failures > 0,
    total_hosts,
    hosts_with_active_failures,
    total_groups,
    has_inventory_sources: sources.length > 0,
    total_inventory_sources: sources.length,
    inventory_sources_with_failures: sources.filter(({ status }) => status === 'failed').length,
    organization_id: inventory.organizationId,
    kind: inventory.kind,
  }
}

async function labelsOf(db: Database, jobId: number) {
  const results = await db
    .select({ id: labels.id, name: labels.name })
    .from(unifiedJobLabels)
    .innerJoin(labels, eq(labels.id, unifiedJobLabels.labelId))
    .where(eq(unifiedJobLabels.jobId, jobId))
    .orderBy(asc(labels.name))
  return { count: results.length, results: results.slice(0, 10) }
}

async function machineCredential(db: Database, jobId: number): Promise<string | null> {
  const [machine] = await db
    .select({ name: credentials.name })
    .from(unifiedJobCredentials)
    .innerJoin(credentials, eq(credentials.id, unifiedJobCredentials.credentialId))
    .innerJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))
    .where(and(eq(unifiedJobCredentials.jobId, jobId), eq(credentialTypes.kind, 'ssh')))
    .limit(1)
  return machine?.name ?? null
}

async function hostCounts(db: Database, jobId: number): Promise<JobFacts['hosts']> {
  const rows = await db.select().from(jobHostSummaries).where(eq(jobHostSummaries.jobId, jobId))
  return Object.fromEntries(
    rows.map(({ hostName, failed, changed, dark, failures, ok, processed, skipped, rescued, ignored }) => [
      hostName,
      { failed, changed, dark, failures, ok, processed, skipped, rescued, ignored },
    ]),
  )
}

async function nodesOf(db: Database, workflowJobId: number): Promise<JobFacts['nodes']> {
  const nodes = await db
    .select({ id: workflowJobNodes.id, jobId: workflowJobNodes.jobId })
    .from(workflowJobNodes)
    .where(eq(workflowJobNodes.workflowJobId, workflowJobId))
    .orderBy(asc(workflowJobNodes.id))
  const jobs = await db
    .select({ id: unifiedJobs.id, name: unifiedJobs.name, status: unifiedJobs.status })
    .from(unifiedJobs)
    .where(
      inArray(
        unifiedJobs.id,
        db
          .select({ id: workflowJobNodes.jobId })
          .from(workflowJobNodes)
          .where(eq(workflowJobNodes.workflowJobId, workflowJobId)),
      ),
    )
  const byId = new Map(jobs.map((job) => [job.id, job]))
  return nodes.map(({ id, jobId }) => ({ id, job: (jobId !== null && byId.get(jobId)) || null }))
}

async function readWorkflowJob(db: Database, id: number | null): Promise<JobRow | undefined> {
  if (id === null) return undefined
  const [job] = await db.select().from(unifiedJobs).where(eq(unifiedJobs.id, id))
  return job
}
